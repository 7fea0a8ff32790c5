#include <algorithm>
#include <iostream>

#include "app/cli/session.h"
#include "core/base/error.h"
#include "core/base/text.h"
#include "core/experiment/bench.h"

namespace bulwark::cli {

void addBenchCommands(CLI::App& program, Session& session) {
  auto* bench = program.add_subcommand("bench", "Measure our speed against a named baseline");
  auto names = std::make_shared<std::vector<std::string>>();
  auto threads = std::make_shared<int>(0);
  auto asJson = std::make_shared<bool>(false);
  std::vector<std::string> known;
  for (const auto& info : benches()) known.push_back(info.name);
  bench->add_option("names", *names, "Which; default: all (" + join(known, ", ") + ")")
      ->check(CLI::IsMember(known));
  bench->add_option("--threads", *threads, "0: all cores")->check(CLI::Range(0, 1024));
  bench->add_flag("--json", *asJson, "Print JSON");
  bench->callback([&session, names, threads, asJson] {
    Json list = Json::array();
    std::vector<std::vector<std::string>> rows = {
        {"bench", "case", "value", "unit", "baseline", "ratio", "threads"}};
    for (const auto& info : benches()) {
      if (!names->empty() && std::find(names->begin(), names->end(), info.name) == names->end()) {
        continue;
      }
      Task task;
      for (const auto& result : info.run(session.registries(), *threads, task)) {
        list.push_back(result.toJson());
        rows.push_back({result.bench, result.caseName, formatFixed(result.value, 1), result.unit,
                        result.baseline + " " + formatFixed(result.baselineValue, 1),
                        formatFixed(result.ratio, 3), std::to_string(result.threads)});
      }
    }
    if (*asJson) {
      std::cout << list.dump(2) << '\n';
    } else {
      printColumns(rows);
    }
  });
}

}  // namespace bulwark::cli
