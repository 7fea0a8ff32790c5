#pragma once

#include <QWidget>
#include <array>

class QFrame;
class QSplitter;

namespace bulwark {

/// Four linked views, two by two, with movable borders. One can fill the whole space; Esc returns.
class ViewGrid : public QWidget {
  Q_OBJECT

 public:
  /// Takes the four views, row by row.
  explicit ViewGrid(const std::array<QWidget*, 4>& views, QWidget* parent = nullptr);

  /// Fills the space with one view, or returns when it already does.
  void toggleMaximized(int view);
  void restore();
  /// -1 when all four are shown.
  int maximized() const { return maximized_; }

 private:
  std::array<QFrame*, 4> frames_;
  std::array<QSplitter*, 2> rows_;
  int maximized_ = -1;
};

}  // namespace bulwark
