#include "core/report/attack_table.h"

#include <algorithm>
#include <cmath>

#include "core/base/text.h"
#include "core/report/escape.h"
#include "core/report/facts.h"
#include "core/report/nothing.h"
#include "core/report/table_layout.h"

namespace bulwark {
namespace {

const ScoreSet* find(const RunReport& report, const std::string& detector,
                     const std::string& attack, const std::string& dataset, bool out) {
  for (const ScoreSet& set : report.scores) {
    // There is one in set; its name is not in the results.
    if (set.detector == detector && set.attack == attack && set.out == out &&
        (!out || set.dataset == dataset)) {
      return &set;
    }
  }
  return nullptr;
}

template <class T>
void addOnce(std::vector<T>& list, const T& value) {
  if (std::find(list.begin(), list.end(), value) == list.end()) list.push_back(value);
}

std::string number(const std::optional<double>& value, int decimals) {
  return value ? formatFixed(*value, decimals) : "-";
}

std::string markdown(const RunReport& report, int decimals) {
  std::string text;
  std::string out;
  for (const AttackRow& row : attackRows(report)) {
    if (text.empty() || row.out != out) {
      if (!text.empty()) text += '\n';
      text += "#### Against ";
      text += escapeMarkdown(row.out);
      text +=
          "\n\n| Detector | Attack | Ball | Clean | In | Out | In & Out | Forwards / image | "
          "Backwards / image | Seconds |\n"
          "| --- | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n";
      out = row.out;
    }
    text += "| ";
    text += escapeMarkdown(row.detector);
    text += row.red ? "\u2020 | " : " | ";
    text += escapeMarkdown(row.attack);
    text += " | ";
    text += escapeMarkdown(row.ball);
    text += " | ";
    for (const auto& value : {row.clean, row.in, row.outOnly, row.inOut}) {
      text += number(value, decimals) + " | ";
    }
    text += formatFixed(row.forwards, 1) + " | " + formatFixed(row.backwards, 1) + " | " +
            formatFixed(row.seconds, 1) + " |\n";
  }
  return text;
}

std::string csv(const std::vector<RunReport>& runs) {
  std::string text =
      "run,detector,attack,out,ball,clean,in,out_attacked,in_out,forwards_per_image,"
      "backwards_per_image,seconds,health\n";
  for (const RunReport& report : runs) {
    for (const AttackRow& row : attackRows(report)) {
      text += std::to_string(report.run.id);
      for (const auto& name : {row.detector, row.attack, row.out, row.ball}) {
        (text += ',') += csvField(name);
      }
      for (const auto& value : {row.clean, row.in, row.outOnly, row.inOut}) {
        text += ',';
        if (value) text += formatNumber(*value);
      }
      for (const double value : {row.forwards, row.backwards, row.seconds}) {
        (text += ',') += formatNumber(value);
      }
      (text += ',') += csvField(join(report::healthLines(report.run), "; "));
      text += '\n';
    }
  }
  return text;
}

std::string json(const std::vector<RunReport>& runs) {
  const auto value = [](const std::optional<double>& number) {
    return number ? Json(*number) : Json(nullptr);
  };
  Json all = Json::array();
  for (const RunReport& report : runs) {
    for (const AttackRow& row : attackRows(report)) {
      all.push_back({{"run", report.run.id},
                     {"detector", row.detector},
                     {"attack", row.attack},
                     {"out", row.out},
                     {"ball", row.ball},
                     {"clean", value(row.clean)},
                     {"in", value(row.in)},
                     {"out_attacked", value(row.outOnly)},
                     {"in_out", value(row.inOut)},
                     {"forwards_per_image", row.forwards},
                     {"backwards_per_image", row.backwards},
                     {"seconds", row.seconds},
                     {"red_check", row.red},
                     {"health", join(report::healthLines(report.run), "; ")}});
    }
  }
  return all.dump(2) + "\n";
}

/// An attack of the specification under its label, with what the rules look at.
struct Asked {
  std::string label, type;
  Json options;
  /// A radius may be written as a fraction: "8/255".
  double number(const char* name) const {
    const auto found = options.find(name);
    if (found == options.end()) return 0.0;
    if (found->is_string()) return parseFraction(found->get<std::string>()).value_or(0.0);
    return found->is_number() ? found->get<double>() : 0.0;
  }
};

std::vector<Asked> attacksOf(const RunReport& report) {
  std::vector<Asked> attacks;
  const Json& json = report.run.specification;
  if (!json.is_object() || !json.contains("attacks")) return attacks;
  for (const Json& entry : json.at("attacks")) {
    if (!entry.is_object()) continue;
    const std::string type = entry.value("type", std::string());
    attacks.push_back({entry.value("label", type), type, entry});
  }
  return attacks;
}

/// "linf 8/255"; "none" where the attack may go anywhere in the box.
std::string ballOf(const Asked& attack) {
  if (!attack.options.contains("eps") || !attack.options.value("bounded", true)) return "none";
  return attack.options.value("norm", std::string("linf")) + " " +
         formatFraction(attack.number("eps"));
}

/// Both with the same ball.
bool sameBall(const Asked& a, const Asked& b) {
  const std::string usual = "linf";
  return std::abs(a.number("eps") - b.number("eps")) < 1e-9 &&
         a.options.value("norm", usual) == b.options.value("norm", usual);
}

/// Both with the same ball, and alike but for `keys`.
bool sameBut(const Asked& a, const Asked& b, const std::vector<const char*>& keys) {
  Json left = a.options, right = b.options;
  for (Json* json : {&left, &right}) {
    json->erase("label");
    json->erase("eps");  // compared as a number
    for (const char* key : keys) json->erase(key);
  }
  return left == right;
}

bool isNoise(const Asked& a) {
  return a.type == "random_search" || a.type.rfind("noise_", 0) == 0;
}

bool isBlackBox(const Asked& a) {
  return a.type == "square" || a.type == "simba" || a.type == "transfer";
}

/// The attacks by the gradient that no attack without it may beat: APGD, and the PGD that takes
/// most steps.
bool isStrongestGradient(const Asked& a, const std::vector<Asked>& attacks) {
  if (a.type == "apgd") return true;
  const auto passes = [](const Asked& pgd) { return pgd.number("steps") * pgd.number("restarts"); };
  return a.type == "pgd" && std::none_of(attacks.begin(), attacks.end(), [&](const Asked& other) {
           return other.type == "pgd" && sameBall(a, other) && passes(other) > passes(a);
         });
}

class Rules {
 public:
  explicit Rules(const RunReport& report) : rows_(attackRows(report)) {}

  /// AUROC in_out of `weaker` minus that of `stronger` may not fall below -tolerance.
  void notWeaker(const Asked& stronger, const Asked& weaker, double tolerance) {
    Ordering ordering;
    ordering.rule = stronger.label + " <= " + weaker.label;
    for (const AttackRow& a : rows_) {
      if (a.attack != stronger.label || !a.inOut) continue;
      for (const AttackRow& b : rows_) {
        if (b.attack != weaker.label || b.detector != a.detector || b.out != a.out || !b.inOut) {
          continue;
        }
        judge(ordering, *a.inOut - *b.inOut, tolerance, a.detector + ", " + a.out);
      }
    }
    add(std::move(ordering));
  }

  void below(const Asked& attack, double bound) {
    Ordering ordering;
    ordering.rule = attack.label + " < " + formatNumber(bound);
    for (const AttackRow& row : rows_) {
      if (row.attack != attack.label || !row.inOut) continue;
      judge(ordering, *row.inOut - bound, 0.0, row.detector + ", " + row.out);
    }
    add(std::move(ordering));
  }

  std::vector<Ordering> found() && { return std::move(orderings_); }

 private:
  static void judge(Ordering& ordering, double breach, double tolerance, const std::string& where) {
    ++ordering.compared;
    if (breach <= tolerance) {
      ++ordering.held;
    } else if (breach > ordering.worst) {
      ordering.worst = breach;
      ordering.where = where;
    }
  }
  void add(Ordering ordering) {
    if (ordering.compared > 0) orderings_.push_back(std::move(ordering));
  }

  std::vector<AttackRow> rows_;
  std::vector<Ordering> orderings_;
};

}  // namespace

std::vector<AttackRow> attackRows(const RunReport& report, const std::string& metric) {
  std::vector<std::string> outs, detectors, attacks;
  for (const ResultRow& row : report.results) {
    addOnce(outs, row.out);
    addOnce(detectors, row.detector);
    if (!row.attack.empty()) addOnce(attacks, row.attack);
  }
  // As asked for, where the specification says so; results are stored in another order.
  const auto asked = attacksOf(report);
  std::stable_sort(attacks.begin(), attacks.end(), [&](const auto& a, const auto& b) {
    const auto place = [&](const std::string& label) {
      return std::find_if(asked.begin(), asked.end(),
                          [&](const Asked& attack) { return attack.label == label; });
    };
    return place(a) < place(b);
  });
  std::vector<AttackRow> rows;
  for (const std::string& out : outs) {
    for (const std::string& detector : detectors) {
      for (const std::string& attack : attacks) {
        AttackRow made;
        made.detector = detector;
        made.attack = attack;
        made.out = out;
        for (const Asked& entry : asked) {
          if (entry.label == attack) made.ball = ballOf(entry);
        }
        made.red = hasRedCheck(report, detector, {attack});
        for (const ResultRow& row : report.results) {
          if (row.detector != detector || row.out != out) continue;
          if (row.attack.empty()) made.clean = metricValue(row, metric);
          if (row.attack != attack) continue;
          if (row.setting == "in") made.in = metricValue(row, metric);
          if (row.setting == "out") made.outOnly = metricValue(row, metric);
          if (row.setting == "in_out") made.inOut = metricValue(row, metric);
        }
        double images = 0;
        for (const bool isOut : {false, true}) {
          const ScoreSet* set = find(report, detector, attack, out, isOut);
          if (!set) continue;
          images += static_cast<double>(set->scores.size());
          made.forwards += static_cast<double>(set->forwards);
          made.backwards += static_cast<double>(set->backwards);
          made.seconds += set->seconds;
        }
        if (images > 0) {
          made.forwards /= images;
          made.backwards /= images;
        }
        if (made.in || made.outOnly || made.inOut) rows.push_back(std::move(made));
      }
    }
  }
  return rows;
}

std::string writeAttackTable(const std::vector<RunReport>& runs, const std::string& format,
                             int decimals) {
  const bool any = std::any_of(runs.begin(), runs.end(),
                               [](const RunReport& report) { return !attackRows(report).empty(); });
  if (!any) {
    throw nothingToReport("there are no attacked results to list", runs,
                          "choose runs that have finished at least one attack");
  }
  if (format == "csv") return csv(runs);
  if (format == "json") return json(runs);
  std::string text;
  for (const RunReport& report : runs) {
    if (!text.empty()) text += '\n';
    text += "### ";
    text += escapeMarkdown(runTitle(report.run));
    text += "\n\n";
    text += markdown(report, decimals);
    const auto rows = attackRows(report);
    if (std::any_of(rows.begin(), rows.end(), [](const AttackRow& row) { return row.red; })) {
      text +=
          "\n\u2020 A health check of this detector or of this attack is red: do not quote its "
          "figures.\n";
    }
    for (const std::string& line : report::healthLines(report.run)) {
      text += '\n';
      text += escapeMarkdown(line);
      text += '\n';
    }
    if (const auto names = report::healthNames({report}); !names.empty()) {
      text += '\n';
      text += escapeMarkdown(names);
      text += '\n';
    }
  }
  return text;
}

std::vector<Ordering> checkOrderings(const RunReport& report, double tolerance) {
  Rules rules(report);
  const auto attacks = attacksOf(report);
  for (const Asked& a : attacks) {
    for (const Asked& b : attacks) {
      if (&a == &b || !sameBall(a, b)) continue;
      const bool moreSteps = a.type == b.type && a.number("steps") > b.number("steps") &&
                             sameBut(a, b, {"steps", "step_size"});
      const bool moreRestarts = a.type == b.type && a.number("restarts") > b.number("restarts") &&
                                sameBut(a, b, {"restarts", "step_size"});
      const bool iterative = (a.type == "pgd" || a.type == "apgd") && b.type == "fgsm";
      const bool ensemble = a.type == "autoattack" && b.type == "pgd";
      const bool noise = a.type == "fgsm" && isNoise(b);
      const bool blackBox = isBlackBox(b) && isStrongestGradient(a, attacks);
      if (moreSteps || moreRestarts || iterative || ensemble || noise || blackBox) {
        rules.notWeaker(a, b, tolerance);
      }
    }
  }
  for (const Asked& a : attacks) {
    const bool linf = a.options.value("norm", std::string("linf")) == "linf";
    if (a.type == "pgd" && linf && a.number("eps") >= 1.0) rules.below(a, 0.01);
  }
  return std::move(rules).found();
}

}  // namespace bulwark
