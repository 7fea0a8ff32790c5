#include "app/cli/progress_printer.h"

#include <unistd.h>

#include <iostream>

#include "core/base/text.h"

namespace bulwark::cli {

ProgressPrinter::ProgressPrinter() : terminal_(isatty(STDERR_FILENO) == 1) {}

void ProgressPrinter::show(const Json& event) {
  const auto kind = event.at("event").get<std::string>();
  if (kind == "progress") {
    progress(event);
  } else if (kind == "log") {
    clear();
    std::cerr << event.at("level").get<std::string>() << ": " << event.at("text").get<std::string>()
              << '\n';
  } else if (kind == "metric" && event.at("name") == "loss") {
    clear();
    std::cerr << "epoch " << event.at("epoch").get<std::int64_t>() << ": loss "
              << formatFixed(event.at("value").get<double>(), 4) << '\n';
  } else if (kind == "failed") {
    clear();
    std::cerr << "error: " << event.at("error").get<std::string>() << '\n';
    if (event.contains("exit_code")) exitCode_ = event.at("exit_code").get<int>();
  } else if (kind == "finished" || kind == "cancelled") {
    clear();
  }
}

void ProgressPrinter::progress(const Json& event) {
  const auto now = std::chrono::steady_clock::now();
  const auto phase = event.at("phase").get<std::string>();
  const bool fresh = phase != phase_;
  if (!terminal_ && !fresh && now - shown_ < std::chrono::seconds(10)) return;
  phase_ = phase;
  shown_ = now;
  std::string text = phase;
  const auto total = event.at("total").get<std::int64_t>();
  if (total > 0) {
    text += "  " + std::to_string(event.at("done").get<std::int64_t>()) + "/" +
            std::to_string(total) + " " + event.at("unit").get<std::string>();
  }
  const double rate = event.at("rate").get<double>();
  if (rate > 0) text += "  " + formatFixed(rate, rate < 10 ? 1 : 0) + "/s";
  if (event.at("seconds_left").is_number()) {
    text += "  " + formatDuration(event.at("seconds_left").get<double>()) + " left";
  }
  if (terminal_) {
    std::cerr << "\r\x1b[2K" << text << std::flush;
    open_ = true;
  } else {
    std::cerr << text << '\n';
  }
}

void ProgressPrinter::clear() {
  if (open_) std::cerr << "\r\x1b[2K";
  open_ = false;
}

}  // namespace bulwark::cli
