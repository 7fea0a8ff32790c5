#include "ui/models/image_pair_model.h"

#include <QApplication>
#include <QLocale>
#include <QPainter>
#include <algorithm>
#include <cmath>

#include "ui/bridge/database_service.h"
#include "ui/models/number_text.h"
#include "ui/models/pixels.h"

namespace bulwark {

namespace {

constexpr int kBatch = 24;  // thumbnails per database job
constexpr int kThumbnail = 60;

struct LoadedThumbnail {
  qint64 id = 0;
  QImage before, after;
};

// Large images are reduced already in the database's thread.
QImage reduced(const QImage& image) {
  if (image.width() <= 2 * kThumbnail && image.height() <= 2 * kThumbnail) return image;
  return image.scaled(2 * kThumbnail, 2 * kThumbnail, Qt::KeepAspectRatio,
                      Qt::SmoothTransformation);
}

}  // namespace

QString scoreText(double score, double other, int digits) {
  const double scale = std::max(std::abs(score), std::abs(other));
  if (!std::isfinite(scale) || scale >= 1e6 || (scale > 0 && scale < 1e-4)) {
    return numberText(score, 'g', digits);
  }
  const int whole = scale > 0 ? int(std::floor(std::log10(scale))) + 1 : 1;
  return numberText(score, 'f', std::max(0, digits - whole));
}

ImagePairModel::ImagePairModel(DatabaseService* database, SelectionHub* selection, QObject* parent)
    : QAbstractListModel(parent), database_(database), selection_(selection) {
  loadSoon_.setSingleShot(true);
  loadSoon_.setInterval(0);
  connect(&loadSoon_, &QTimer::timeout, this, &ImagePairModel::loadWanted);
  connect(selection_, &SelectionHub::changed, this, [this] {
    if (rowCount() > 0) Q_EMIT dataChanged(index(0), index(rowCount() - 1), {SelectedRole});
  });
}

void ImagePairModel::setPairs(std::vector<ImagePair> pairs) {
  beginResetModel();
  ++generation_;
  pairs_ = std::move(pairs);
  rowOf_.clear();
  for (std::size_t i = 0; i < pairs_.size(); ++i) rowOf_.insert(pairs_[i].id, int(i));
  thumbnails_.clear();
  wanted_.clear();
  asked_.clear();
  endResetModel();
}

int ImagePairModel::rowCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : int(pairs_.size());
}

QVariant ImagePairModel::data(const QModelIndex& index, int role) const {
  if (!index.isValid()) return {};
  const ImagePair& pair = pairs_[std::size_t(index.row())];
  switch (role) {
    case Qt::DisplayRole:
      return QStringLiteral("%1 → %2").arg(scoreText(pair.scoreBefore, pair.scoreAfter, 3),
                                           scoreText(pair.scoreAfter, pair.scoreBefore, 3));
    case Qt::ToolTipRole:
    case Qt::AccessibleTextRole:
      return tr("%1 (%2), sample %3: %4 under %5 scored %6 before and %7 after")
          .arg(QString::fromStdString(pair.dataset), pair.out ? tr("out") : tr("in"),
               QString::number(pair.sample), QString::fromStdString(pair.detector),
               QString::fromStdString(pair.attack), scoreText(pair.scoreBefore, pair.scoreAfter, 5),
               scoreText(pair.scoreAfter, pair.scoreBefore, 5));
    case IdRole:
      return qint64(pair.id);
    case SelectedRole:
      return selection_->current().contains({QString::fromStdString(pair.dataset), pair.out},
                                            pair.sample);
    case BeforeRole:
    case AfterRole: {
      const auto found = thumbnails_.constFind(pair.id);
      if (found == thumbnails_.constEnd()) {
        request(pair.id);
        return {};
      }
      return role == BeforeRole ? found->before : found->after;
    }
    default:
      return {};
  }
}

void ImagePairModel::request(qint64 id) const {
  if (asked_.contains(id)) return;
  wanted_.insert(id);
  if (!loadSoon_.isActive()) loadSoon_.start();
}

void ImagePairModel::loadWanted() {
  std::vector<qint64> ids;
  for (const qint64 id : std::as_const(wanted_)) {
    ids.push_back(id);
    if (int(ids.size()) == kBatch) break;
  }
  for (const qint64 id : ids) {
    wanted_.remove(id);
    asked_.insert(id);
  }
  if (ids.empty()) return;
  database_->run(
      this,
      [ids](RunStore& store) {
        std::vector<LoadedThumbnail> loaded;
        for (const qint64 id : ids) {
          const ImagePair pair = store.imagePair(id);
          loaded.push_back({id,
                            reduced(toImage(pair.before, pair.channels, pair.height, pair.width)),
                            reduced(toImage(pair.after, pair.channels, pair.height, pair.width))});
        }
        return loaded;
      },
      [this, generation = generation_](const std::vector<LoadedThumbnail>& loaded) {
        if (generation != generation_) return;
        for (const LoadedThumbnail& one : loaded) {
          thumbnails_.insert(one.id, {one.before, one.after});
          const QModelIndex at = index(rowOf_.value(one.id));
          Q_EMIT dataChanged(at, at, {BeforeRole, AfterRole});
        }
      },
      // The run may have been deleted meanwhile; its thumbnails just stay empty.
      [](const Error&) {});
  if (!wanted_.isEmpty()) loadSoon_.start();
}

void ImagePairFilter::setChoice(const QString& detector, const QString& attack,
                                const QString& dataset) {
  detector_ = detector.toStdString();
  attack_ = attack.toStdString();
  dataset_ = dataset.toStdString();
  invalidateFilter();
}

void ImagePairFilter::setSelection(const SampleSet* selection) {
  selection_ = selection ? std::optional<SampleSet>(*selection) : std::nullopt;
  invalidateFilter();
}

const ImagePair& ImagePairFilter::pair(const QModelIndex& index) const {
  return static_cast<const ImagePairModel*>(sourceModel())->pair(mapToSource(index).row());
}

bool ImagePairFilter::filterAcceptsRow(int row, const QModelIndex&) const {
  const ImagePair& pair = static_cast<const ImagePairModel*>(sourceModel())->pair(row);
  const auto fits = [](const std::string& wanted, const std::string& has) {
    return wanted.empty() || wanted == has;
  };
  return fits(detector_, pair.detector) && fits(attack_, pair.attack) &&
         fits(dataset_, pair.dataset) &&
         (!selection_ ||
          selection_->contains({QString::fromStdString(pair.dataset), pair.out}, pair.sample));
}

void ImagePairDelegate::paint(QPainter* painter, const QStyleOptionViewItem& option,
                              const QModelIndex& index) const {
  QStyleOptionViewItem item = option;
  initStyleOption(&item, index);
  const QString text = item.text;
  item.text.clear();
  item.showDecorationSelected = true;
  item.widget->style()->drawControl(QStyle::CE_ItemViewItem, &item, painter, item.widget);
  const int side = kThumbnail;
  const int left = item.rect.center().x() - side - 1;
  const int top = item.rect.top() + 8;
  painter->save();
  painter->setRenderHint(QPainter::SmoothPixmapTransform, false);
  for (int i = 0; i < 2; ++i) {
    const QRect cell(left + i * (side + 3), top, side, side);
    const QImage image =
        index.data(i == 0 ? ImagePairModel::BeforeRole : ImagePairModel::AfterRole).value<QImage>();
    if (image.isNull()) {
      painter->fillRect(cell, item.palette.color(QPalette::Midlight));
      continue;
    }
    QRect target(QPoint(), image.size().scaled(cell.size(), Qt::KeepAspectRatio));
    target.moveCenter(cell.center());
    painter->drawImage(target, image);
  }
  if (index.data(ImagePairModel::SelectedRole).toBool()) {
    painter->setPen(QPen(item.palette.color(QPalette::Highlight), 2));
    painter->drawRect(QRect(left - 2, top - 2, 2 * side + 6, side + 3));
  }
  painter->setPen(item.palette.color(QPalette::Text));
  painter->drawText(
      QRect(item.rect.left(), top + side + 3, item.rect.width(), item.fontMetrics.height() + 2),
      Qt::AlignCenter, text);
  painter->restore();
}

QSize ImagePairDelegate::sizeHint(const QStyleOptionViewItem& option, const QModelIndex&) const {
  return {2 * kThumbnail + 24, kThumbnail + option.fontMetrics.height() + 20};
}

}  // namespace bulwark
