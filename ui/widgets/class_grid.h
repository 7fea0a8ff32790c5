#pragma once

#include <QImage>
#include <QWidget>
#include <vector>

#include "core/data/catalogue.h"

namespace bulwark {

/// For each class its name, its count, and its first images. Lives in a scroll area that resizes
/// it: as many classes stand side by side as it takes to show all of them, while each keeps an
/// image or two; what is still too much scrolls.
class ClassGrid : public QWidget {
  Q_OBJECT

 public:
  explicit ClassGrid(QWidget* parent = nullptr);
  void setPreview(const DatasetPreview& preview);
  void clear();
  int rowCount() const { return static_cast<int>(rows_.size()); }
  /// How many classes stand side by side.
  int columnCount() const { return columns_; }
  QSize sizeHint() const override;
  QSize minimumSizeHint() const override;

 protected:
  void resizeEvent(QResizeEvent* event) override;
  void paintEvent(QPaintEvent* event) override;
  bool event(QEvent* event) override;

 private:
  struct Row {
    QString name;
    qint64 count = 0;
    std::vector<QImage> images;
    std::vector<qint64> indices;
  };
  void arrange();
  QRect block(int row) const;

  std::vector<Row> rows_;
  int columns_ = 1;
};

}  // namespace bulwark
