#pragma once

#include <QImage>
#include <QWidget>
#include <vector>

#include "core/data/catalogue.h"

namespace bulwark {

/// One row per class: its name, its count, and its first images. Lives in a scroll area.
class ClassGrid : public QWidget {
  Q_OBJECT

 public:
  explicit ClassGrid(QWidget* parent = nullptr);
  void setPreview(const DatasetPreview& preview);
  void clear();
  int rowCount() const { return static_cast<int>(rows_.size()); }
  QSize sizeHint() const override;
  QSize minimumSizeHint() const override { return sizeHint(); }

 protected:
  void paintEvent(QPaintEvent* event) override;
  bool event(QEvent* event) override;

 private:
  struct Row {
    QString name;
    qint64 count = 0;
    std::vector<QImage> images;
    std::vector<qint64> indices;
  };
  std::vector<Row> rows_;
};

}  // namespace bulwark
