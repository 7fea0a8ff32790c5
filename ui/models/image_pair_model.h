#pragma once

#include <QAbstractListModel>
#include <QHash>
#include <QImage>
#include <QSet>
#include <QSortFilterProxyModel>
#include <QStyledItemDelegate>
#include <QTimer>
#include <vector>

#include "core/store/records.h"
#include "ui/bridge/selection_hub.h"

namespace bulwark {

class DatabaseService;

/// `score` with so many decimals that the larger of it and `other` has `digits` digits: two scores
/// side by side then have their decimal points at the same place.
QString scoreText(double score, double other, int digits);

/// The image pairs of a run, without pixels; thumbnails are read as they come into view.
class ImagePairModel : public QAbstractListModel {
  Q_OBJECT

 public:
  enum Role {
    IdRole = Qt::UserRole,
    BeforeRole,  ///< QImage, null until loaded
    AfterRole,
    SelectedRole,  ///< in the selection hub
  };

  ImagePairModel(DatabaseService* database, SelectionHub* selection, QObject* parent = nullptr);

  /// `pairs` without pixels.
  void setPairs(std::vector<ImagePair> pairs);
  const ImagePair& pair(int row) const { return pairs_[std::size_t(row)]; }

  int rowCount(const QModelIndex& parent = {}) const override;
  QVariant data(const QModelIndex& index, int role = Qt::DisplayRole) const override;

 private:
  struct Thumbnail {
    QImage before, after;
  };
  void request(qint64 id) const;
  void loadWanted();

  DatabaseService* database_;
  SelectionHub* selection_;
  std::vector<ImagePair> pairs_;
  QHash<qint64, int> rowOf_;
  QHash<qint64, Thumbnail> thumbnails_;
  mutable QSet<qint64> wanted_, asked_;
  mutable QTimer loadSoon_;
  quint64 generation_ = 0;
};

/// Pairs of one detector, attack and set; an empty choice admits all.
class ImagePairFilter : public QSortFilterProxyModel {
  Q_OBJECT

 public:
  using QSortFilterProxyModel::QSortFilterProxyModel;
  void setChoice(const QString& detector, const QString& attack, const QString& dataset);
  /// Only samples of this selection; null admits all.
  void setSelection(const SampleSet* selection);
  const ImagePair& pair(const QModelIndex& index) const;

 protected:
  bool filterAcceptsRow(int row, const QModelIndex& parent) const override;

 private:
  std::string detector_, attack_, dataset_;
  std::optional<SampleSet> selection_;
};

/// Before and after side by side, the scores below.
class ImagePairDelegate : public QStyledItemDelegate {
  Q_OBJECT

 public:
  using QStyledItemDelegate::QStyledItemDelegate;
  void paint(QPainter* painter, const QStyleOptionViewItem& option,
             const QModelIndex& index) const override;
  QSize sizeHint(const QStyleOptionViewItem& option, const QModelIndex& index) const override;
};

}  // namespace bulwark
