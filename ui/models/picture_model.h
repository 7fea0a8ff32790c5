#pragma once

#include <QAbstractListModel>
#include <QHash>
#include <QPixmap>
#include <map>
#include <memory>
#include <vector>

#include "core/experiment/class_map_file.h"
#include "ui/bridge/selection_hub.h"

namespace bulwark {

/// Clean images that a run has kept, those of a set or a selection, each with a detector's score.
class PictureModel : public QAbstractListModel {
  Q_OBJECT

 public:
  using Map = std::shared_ptr<const ClassMap>;
  using Scores = std::map<SampleSide, std::vector<double>>;
  static constexpr int side = 56;  ///< of a picture in the list, pixels

  using QAbstractListModel::QAbstractListModel;

  /// Null: none.
  void setMap(Map map);
  /// Anomaly scores of the clean images by that detector; where it has none, those of the map's.
  void setScores(const QString& detector, Scores scores);
  /// Of the samples only (null: all), and of the set of that number only (-1: all).
  void setFilter(const SampleSet* samples, int set);
  /// How many images the run has kept.
  int kept() const { return map_ ? int(map_->samples.size()) : 0; }
  /// Those samples that were not kept.
  SampleSet missing(const SampleSet& samples) const;
  /// The row of that image; -1 where the list lacks it.
  int find(const SampleSide& side, qint64 index) const;
  const ClassMap* map() const { return map_.get(); }
  /// Number of a row's image in the map.
  std::size_t sample(int row) const { return rows_[std::size_t(row)]; }
  /// What is known of a row's image, a line each: its name, classes and score.
  QStringList lines(int row) const;

  int rowCount(const QModelIndex& parent = {}) const override;
  QVariant data(const QModelIndex& index, int role = Qt::DisplayRole) const override;

 private:
  std::pair<QString, double> score(std::size_t sample) const;

  Map map_;
  QString detector_;
  Scores scores_;
  std::vector<std::size_t> rows_;
  mutable QHash<qulonglong, QPixmap> pictures_;
};

}  // namespace bulwark
