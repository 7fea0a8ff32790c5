#include "ui/models/picture_model.h"

#include "ui/models/class_map_text.h"
#include "ui/models/number_text.h"

namespace bulwark {

void PictureModel::setMap(Map map) {
  beginResetModel();
  map_ = std::move(map);
  rows_.clear();
  pictures_.clear();
  endResetModel();
}

void PictureModel::setScores(const QString& detector, Scores scores) {
  detector_ = detector;
  scores_ = std::move(scores);
  if (!rows_.empty()) Q_EMIT dataChanged(index(0), index(rowCount() - 1));
}

void PictureModel::setFilter(const SampleSet* samples, int set) {
  std::vector<std::size_t> rows;
  for (std::size_t i = 0; map_ && i < map_->samples.size(); ++i) {
    const ClassMap::Sample& sample = map_->samples[i];
    if (set >= 0 && sample.set != std::size_t(set)) continue;
    if (samples && !samples->contains(classMapSide(*map_, i), sample.index)) continue;
    rows.push_back(i);
  }
  if (rows == rows_) return;
  beginResetModel();
  rows_ = std::move(rows);
  endResetModel();
}

SampleSet PictureModel::missing(const SampleSet& samples) const {
  SampleSet kept, missing = samples;
  for (std::size_t i = 0; map_ && i < map_->samples.size(); ++i) {
    kept.insert(classMapSide(*map_, i), map_->samples[i].index);
  }
  missing.subtract(kept);
  return missing;
}

int PictureModel::find(const SampleSide& side, qint64 index) const {
  for (std::size_t row = 0; row < rows_.size(); ++row) {
    if (map_->samples[rows_[row]].index == index && classMapSide(*map_, rows_[row]) == side) {
      return int(row);
    }
  }
  return -1;
}

std::pair<QString, double> PictureModel::score(std::size_t sample) const {
  const auto set = scores_.find(classMapSide(*map_, sample));
  const auto index = std::size_t(map_->samples[sample].index);
  if (set != scores_.end() && index < set->second.size()) return {detector_, set->second[index]};
  return {QString::fromStdString(map_->detector), map_->samples[sample].score};
}

QStringList PictureModel::lines(int row) const {
  const std::size_t sample = rows_[std::size_t(row)];
  const auto [detector, value] = score(sample);
  QString classes = classMapClasses(*map_, sample);
  classes.replace(0, 1, classes.at(0).toUpper());
  return {classMapName(*map_, sample), classes,
          tr("Score %1 (%2)").arg(numberText(value, 'g', 4), detector)};
}

int PictureModel::rowCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : int(rows_.size());
}

QVariant PictureModel::data(const QModelIndex& index, int role) const {
  if (!index.isValid()) return {};
  const std::size_t sample = rows_[std::size_t(index.row())];
  switch (role) {
    case Qt::DisplayRole:
      return QStringLiteral("%1 %2").arg(classMapSide(*map_, sample).out ? tr("out") : tr("in"),
                                         QString::number(map_->samples[sample].index));
    case Qt::ToolTipRole:
      return lines(index.row()).join(u'\n');
    case Qt::AccessibleTextRole:
      return lines(index.row()).join(QStringLiteral(", "));
    case Qt::DecorationRole: {
      auto found = pictures_.constFind(sample);
      if (found == pictures_.constEnd()) {
        const QImage image = classMapPicture(*map_, sample);
        found = pictures_.insert(sample, image.isNull()
                                             ? QPixmap()
                                             : QPixmap::fromImage(image.scaled(
                                                   side, side, Qt::KeepAspectRatio,
                                                   image.width() > side ? Qt::SmoothTransformation
                                                                        : Qt::FastTransformation)));
      }
      return *found;
    }
    default:
      return {};
  }
}

}  // namespace bulwark
