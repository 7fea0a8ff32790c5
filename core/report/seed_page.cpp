#include "core/report/seed_page.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>

#include "core/base/text.h"
#include "core/report/escape.h"

namespace bulwark::seed_page {
namespace {

/// What decides whether an image is in, and the metrics that tell how well.
struct Thresholds {
  const char* title;
  const char* tnr;
  const char* auroc;
};
constexpr std::array<Thresholds, 3> kThresholds = {
    {{"one", "tnr95", "auroc"},
     {"per class", "tnr95_per_class", "auroc_per_class"},
     {"per class, transductive", "tnr95_per_class_transductive", "auroc_per_class_transductive"}}};

constexpr char kLayers[] = "fit:layers[";

/// What a detector measured while it was fitted; null where that is not told.
Json fitFact(const RunReport& report, const std::string& detector, const char* key) {
  const auto place = Json::json_pointer() / "fit_facts" / detector / key;
  const Json& summary = report.run.summary;
  return summary.is_object() && summary.contains(place) ? summary.at(place) : Json();
}

/// The names of the layers that a detector of these runs was searched among.
std::vector<std::string> layersOf(const SeedGroup& group, const std::string& detector) {
  std::vector<std::string> names;
  for (const Json& layer : fitFact(*group.runs.front(), detector, "layers")) {
    names.push_back(layer.is_object() ? layer.value("layer", std::string()) : std::string());
  }
  return names;
}

}  // namespace

std::string spreadText(const Spread& spread, double scale, int decimals) {
  std::string text = formatFixed(scale * spread.mean, decimals);
  if (!std::isnan(spread.deviation)) {
    text += " \u00b1 " + formatFixed(scale * spread.deviation, decimals);
  }
  return text;
}

std::string percent(const Spread& spread) {
  return spreadText(spread, 100.0, 2);
}

std::string percent(const std::optional<double>& published) {
  return published ? formatFixed(100.0 * *published, 2) : std::string("-");
}

std::string line(const std::vector<std::string>& cells) {
  std::string text = "|";
  for (const auto& cell : cells) {
    text += ' ';
    text += escapeMarkdown(cell);
    text += " |";
  }
  return text + "\n";
}

std::string heading(const std::vector<std::string>& cells, std::size_t words) {
  std::string text = line(cells) + "|";
  for (std::size_t i = 0; i < cells.size(); ++i) text += i < words ? " --- |" : " ---: |";
  return text + "\n";
}

bool startsWith(const std::string& text, const char* with) {
  return text.rfind(with, 0) == 0;
}

const SeedRow* find(const Grouped& of, const Quantity& quantity) {
  for (const SeedRow& row : of.rows) {
    if (row.quantity == quantity) return &row;
  }
  return nullptr;
}

std::vector<std::string> outsOf(const std::vector<Grouped>& groups, const std::string& metric) {
  std::vector<std::string> outs;
  for (const Grouped& one : groups) {
    for (const SeedRow& row : one.rows) {
      const auto& out = row.quantity.out;
      if (row.quantity.metric != metric) continue;
      if (std::find(outs.begin(), outs.end(), out) == outs.end()) outs.push_back(out);
    }
  }
  return outs;
}

std::string factName(const Quantity& quantity) {
  std::string path = quantity.metric.substr(4);  // after "fit:"
  std::replace(path.begin(), path.end(), '_', ' ');
  std::replace(path.begin(), path.end(), '.', ' ');
  return path;
}

bool hasDetectionTable(const Grouped& one) {
  return std::any_of(one.rows.begin(), one.rows.end(), [](const SeedRow& row) {
    return row.quantity.metric == "tnr95_per_class" && row.quantity.attack.empty();
  });
}

bool isDetectionAlone(const Grouped& one) {
  return hasDetectionTable(one) &&
         std::none_of(one.rows.begin(), one.rows.end(), [](const SeedRow& row) {
           return row.quantity.metric == "auroc" && !row.quantity.attack.empty();
         });
}

std::string detectionSection(const std::vector<Grouped>& all) {
  std::vector<Grouped> groups;
  std::copy_if(all.begin(), all.end(), std::back_inserter(groups), hasDetectionTable);
  std::string text;
  for (const std::string& out : outsOf(groups, "tnr95")) {
    text += "### Against " + escapeMarkdown(out) + "\n\n" +
            heading({"", "Detector", "Thresholds", "TNR", "published", "AUROC", "published"}, 3);
    for (const Grouped& one : groups) {
      for (const SeedRow& row : one.rows) {
        if (row.quantity.metric != "tnr95" || row.quantity.out != out) continue;
        if (!row.quantity.attack.empty()) continue;
        for (const auto& thresholds : kThresholds) {
          Quantity quantity = row.quantity;
          quantity.metric = thresholds.tnr;
          const SeedRow* tnr = find(one, quantity);
          quantity.metric = thresholds.auroc;
          const SeedRow* auroc = find(one, quantity);
          if (!tnr || !auroc) continue;
          text +=
              line({one.key, quantity.detector, thresholds.title, percent(tnr->spread),
                    percent(tnr->published), percent(auroc->spread), percent(auroc->published)});
        }
      }
    }
    text += "\n";
  }
  if (text.empty()) return {};
  return "## Detection\n\nTNR at 95 % TPR (the share of out images rejected where 95 % of the in "
         "images are kept) and AUROC, per cent, no detector attacked. With thresholds per "
         "predicted class the figures are pooled and weighted as Zhao et al. do. Transductive: the "
         "scores are normalised over the in and out images under test, as published; they can be "
         "reported but not used.\n\n" +
         text;
}

std::string layersSection(const std::vector<Grouped>& groups) {
  std::string text;
  for (const Grouped& one : groups) {
    for (const SeedRow& row : one.rows) {
      const Quantity& quantity = row.quantity;
      if (quantity.metric != std::string(kLayers) + "0].features") continue;
      const auto names = layersOf(one.group, quantity.detector);
      for (std::size_t i = 0; i < names.size(); ++i) {
        const auto chosen = std::count_if(
            one.group.runs.begin(), one.group.runs.end(), [&](const RunReport* report) {
              return fitFact(*report, quantity.detector, "layer") == Json(names[i]);
            });
        const auto fact = [&](const char* what) {
          Quantity asked = quantity;
          asked.metric = kLayers;
          asked.metric += std::to_string(i);
          asked.metric += "].";
          asked.metric += what;
          return find(one, asked);
        };
        const SeedRow *features = fact("features"), *error = fact("detection_error"),
                      *auroc = fact("auroc");
        text += line({one.key, quantity.detector, names[i],
                      features ? formatFixed(features->spread.mean, 0) : std::string("-"),
                      error ? percent(error->spread) : std::string("-"),
                      auroc ? percent(auroc->spread) : std::string("-"), std::to_string(chosen)});
      }
    }
  }
  if (text.empty()) return {};
  return "## The most discriminative layer\n\nOne one-class machine per layer, against outliers "
         "that are made of validation images; the layer of the least detection error is taken. Per "
         "cent. No test set takes part.\n\n" +
         heading(
             {"", "Detector", "Layer", "Features", "Detection error", "AUROC", "Chosen in runs"},
             3) +
         text + "\n";
}

bool isPlainFact(const Quantity& quantity) {
  for (const char* told : {kLayers, "fit:class_images[", "fit:support_vectors."}) {
    if (startsWith(quantity.metric, told)) return false;
  }
  return true;
}

}  // namespace bulwark::seed_page
