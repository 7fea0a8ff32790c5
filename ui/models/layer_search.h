#pragma once

#include <QString>
#include <QVector>

#include "core/base/json.h"

namespace bulwark {

/// What a detector's search for the most discriminative layer has found (`searchLayer` in
/// core/detectors/layer_search.h), as a run's summary keeps it.
struct LayerSearch {
  struct Layer {
    QString name;
    qint64 features = 0;  ///< channels or units
    double error = 0;     ///< detection error in [0, 1]; NaN: constant features
    double auroc = 0;     ///< NaN: constant features
  };

  QString detector;
  QString chosen;          ///< name of a layer
  QVector<Layer> layers;   ///< in the order of the network
  qint64 images = 0;       ///< of the in set, judged against as many outliers
  bool validation = true;  ///< from the validation set; otherwise training images held back
  QString outliers;        ///< kinds, separated by commas
};

/// Those of all detectors that searched; `summary`: of a run.
QVector<LayerSearch> readLayerSearches(const Json& summary);

}  // namespace bulwark
