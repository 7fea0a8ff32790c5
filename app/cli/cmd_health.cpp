#include <array>
#include <atomic>
#include <cstdio>
#include <iostream>
#include <thread>

#include "app/cli/progress_printer.h"
#include "app/cli/session.h"
#include "core/base/error.h"
#include "core/base/signal_inbox.h"
#include "core/base/text.h"
#include "core/experiment/stored_health.h"
#include "core/health/check.h"

namespace bulwark::cli {
namespace {

struct HealthOptions {
  std::int64_t run = 0;
  bool json = false, full = false;
  std::int64_t images = 0;
};

/// Turns SIGINT and SIGTERM into a cancel for its life.
class CancelOnSignal {
 public:
  explicit CancelOnSignal(Control& control)
      : thread_([this, &control] {
          while (!stop_) {
            if (signals_.wait(std::chrono::milliseconds(100))) control.cancel();
          }
        }) {}
  ~CancelOnSignal() {
    stop_ = true;
    thread_.join();
  }
  CancelOnSignal(const CancelOnSignal&) = delete;
  CancelOnSignal& operator=(const CancelOnSignal&) = delete;

 private:
  const SignalInbox signals_;
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

void examine(Session& session, const HealthOptions& options) {
  RunStore store = session.openStore(RunStore::Mode::ReadWrite);
  ProgressPrinter printer;
  Control control;
  const CancelOnSignal cancel(control);
  Task task(
      &control,
      [&](const ProgressUpdate& update) {
        printer.show(
            {{"event", "progress"},
             {"phase", update.phase},
             {"done", update.done},
             {"total", update.total},
             {"unit", update.unit},
             {"rate", update.rate},
             {"seconds_left", update.secondsLeft ? Json(*update.secondsLeft) : Json(nullptr)}});
      },
      [&](LogLevel level, const std::string& text) {
        if (level == LogLevel::Debug) return;
        printer.show({{"event", "log"},
                      {"level", level == LogLevel::Info ? "info" : "warning"},
                      {"text", text}});
      });
  examineStoredRun(session.registries(), session.catalogue(), store, options.run, options.images,
                   task);
  printer.show({{"event", "finished"}});
}

/// Three digits are enough to compare with a limit.
std::string shortNumber(double value) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.3g", value == 0.0 ? 0.0 : value);
  return text.data();
}

std::string numberText(const Json& check, const char* key) {
  const auto found = check.find(key);
  return found != check.end() && found->is_number() ? shortNumber(found->get<double>()) : "-";
}

/// The limits a check was judged by, and the published ones where they are others.
std::string limitText(const Json& check) {
  std::string text = numberText(check, "threshold");
  if (const auto red = numberText(check, "red_above"); red != text && red != "-") {
    text += ", " + red;
  }
  return text + (check.contains("limits") ? " (changed)" : "");
}

/// The checks as stored; those of runs that did not note it yet say which limits were changed.
Json storedChecks(const RunRecord& run) {
  if (!run.summary.is_object()) return Json::array();
  Json checks = run.summary.value("health_checks", Json::array());
  for (auto& check : checks) {
    const Json told = HealthCheck::fromJson(check).toJson();
    for (const char* key : {"published_threshold", "published_red_above", "limits"}) {
      if (told.contains(key)) check[key] = told.at(key);
    }
  }
  return checks;
}

void show(Session& session, const HealthOptions& options) {
  if (options.full) examine(session, options);
  const RunStore store = session.openStore(RunStore::Mode::ReadOnly);
  const RunRecord run = store.run(options.run);
  const Json checks = storedChecks(run);
  if (options.json) {
    std::cout << checks.dump(2) << '\n';
    return;
  }
  std::vector<std::vector<std::string>> rows = {
      {"check", "of", "verdict", "value", "limits", "what", "detail"}};
  for (const auto& check : checks) {
    rows.push_back({check.value("id", ""), check.value("subject", ""), check.value("verdict", ""),
                    numberText(check, "value"), limitText(check), check.value("title", ""),
                    check.value("detail", "")});
  }
  printColumns(rows);
  if (const auto line = healthLineOf(run.summary); !line.empty()) std::cout << line << '\n';
}

}  // namespace

void addHealthCommand(CLI::App& runs, Session& session) {
  auto* health = runs.add_subcommand("health", "The checks of one run's evaluation");
  auto options = std::make_shared<HealthOptions>();
  addNumberOption(*health, "run", options->run, "run", "Run number");
  health->add_flag("--full", options->full,
                   "First make the checks that take attacks of their own, and store them");
  health->add_option("--images", options->images, "In images and out images; 0: as the run says")
      ->check(CLI::Range(0, 100000));
  health->add_flag("--json", options->json, "Print JSON");
  addDatabaseOption(*health, session);
  addDataOption(*health, session);
  health->callback([&session, options] { show(session, *options); });
}

}  // namespace bulwark::cli
