#pragma once

#include <QWidget>

class QTableView;

namespace bulwark {

/// Holds a table and makes it as high as its whole rows: none is cut in half at the lower edge.
class WholeRows : public QWidget {
  Q_OBJECT

 public:
  explicit WholeRows(QTableView* table, QWidget* parent = nullptr);
  QSize sizeHint() const override;
  QSize minimumSizeHint() const override;

 public Q_SLOTS:
  void fit();

 protected:
  void resizeEvent(QResizeEvent* event) override;

 private:
  QTableView* table_;
};

}  // namespace bulwark
