#include "ui/models/layer_search.h"

#include <QStringList>
#include <limits>

namespace bulwark {

namespace {

const Json& at(const Json& object, const char* key) {
  static const Json none;
  if (!object.is_object()) return none;
  const auto found = object.find(key);
  return found != object.end() ? *found : none;
}

QString text(const Json& value) {
  return value.is_string() ? QString::fromStdString(value.get<std::string>()) : QString();
}

qint64 count(const Json& value) {
  return value.is_number_integer() ? value.get<qint64>() : 0;
}

double figure(const Json& value) {
  return value.is_number() ? value.get<double>() : std::numeric_limits<double>::quiet_NaN();
}

}  // namespace

QVector<LayerSearch> readLayerSearches(const Json& summary) {
  QVector<LayerSearch> searches;
  const Json& all = at(summary, "fit_facts");
  if (!all.is_object()) return searches;
  for (const auto& [detector, facts] : all.items()) {
    const Json& layers = at(facts, "layers");
    if (!layers.is_array() || layers.empty()) continue;
    LayerSearch search;
    search.detector = QString::fromStdString(detector);
    search.chosen = text(at(facts, "layer"));
    search.images = count(at(facts, "in_images"));
    search.validation = text(at(facts, "in_from")) != QLatin1String("training");
    QStringList kinds;
    if (const Json& outliers = at(facts, "outlier_kinds"); outliers.is_array()) {
      for (const Json& kind : outliers) kinds += text(kind);
    }
    search.outliers = kinds.join(QStringLiteral(", "));
    for (const Json& layer : layers) {
      search.layers.append({text(at(layer, "layer")), count(at(layer, "features")),
                            figure(at(layer, "detection_error")), figure(at(layer, "auroc"))});
    }
    searches.append(search);
  }
  return searches;
}

}  // namespace bulwark
