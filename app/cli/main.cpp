#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <string>

#include "app/cli/session.h"
#include "bulwark/version.h"
#include "core/base/error.h"

namespace {

/// Whether the processor has what OpenBLAS's Haswell kernels need.
bool hasHaswellKernels() {
#if defined(__x86_64__)
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#else
  return false;
#endif
}

/// libgomp and OpenBLAS read their variables when they are loaded, long before main: the program
/// sets them and starts itself once more. Spinning threads cost up to 45 times on a busy machine.
/// With OpenBLAS's AVX-512 kernels the product of a row depends on the batch that it is in, and
/// with it whether a sample's rank is final (S1); with those for AVX2 it does not.
void restartWithEnvironment(char** argv) {
  if (std::getenv("BULWARK_RESTARTED")) return;
  bool changed = false;
  const auto provide = [&changed](const char* name, const char* value) {
    if (std::getenv(name)) return;
    setenv(name, value, 1);
    changed = true;
  };
  provide("OMP_WAIT_POLICY", "passive");
  if (hasHaswellKernels()) provide("OPENBLAS_CORETYPE", "Haswell");
  if (!changed) return;
  setenv("BULWARK_RESTARTED", "1", 1);
  execv("/proc/self/exe", argv);
}

/// What to say when the first word is no command, which CLI11 reports as a missing one; else empty.
std::string unknownCommand(CLI::App& program, int argc, char** argv) {
  const std::string word = argc > 1 ? argv[1] : "";
  if (word.empty() || word.front() == '-') return {};
  std::string known;
  for (const CLI::App* command : program.get_subcommands([](CLI::App*) { return true; })) {
    if (command->check_name(word)) return {};
    known += (known.empty() ? "" : ", ") + command->get_name();
  }
  return "there is no command '" + word + "'; known: " + known;
}

}  // namespace

int main(int argc, char** argv) {
  restartWithEnvironment(argv);
  bulwark::cli::Session session;
  CLI::App program("Robust out-of-distribution detection: train, attack, look, export.",
                   "bulwark-cli");
  program.set_version_flag("--version", std::string("bulwark-cli ") + BULWARK_VERSION);
  program.require_subcommand(1);
  bulwark::cli::addListCommands(program, session);
  bulwark::cli::addRunCommands(program, session);
  bulwark::cli::addQueueCommands(program, session);
  bulwark::cli::addRunsCommands(program, session);
  bulwark::cli::addExportCommands(program, session);
  bulwark::cli::addDataCommands(program, session);
  bulwark::cli::addBenchCommands(program, session);
  try {
    program.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (const auto text = unknownCommand(program, argc, argv); !text.empty()) {
      std::cerr << "error: " << text << '\n';
      return 2;
    }
    if (error.get_exit_code() == 0) return program.exit(error);  // --help, --version
    std::cerr << "error: " << error.what() << "; '--help' shows what is expected\n";
    return 2;
  } catch (const bulwark::Error& error) {
    std::cerr << "error: " << error.what() << '\n';
    return error.exitCode();
  } catch (const std::exception& error) {
    std::cerr << "error: " << error.what() << '\n';
    return 1;
  }
  std::cout.flush();
  return session.exitCode;
}
