#pragma once

#include <QWidget>

#include "ui/bridge/app_context.h"
#include "ui/bridge/kept_pictures.h"

class QCheckBox;
class QComboBox;
class QLabel;
class QListView;
class QStackedWidget;

namespace bulwark {

class EmptyState;
class ImageView;
class PictureModel;

/// The clean images that a run has kept: those selected, or all, and of the selected which it has
/// not kept. Read only once they are looked at.
class PicturePanel : public QWidget {
  Q_OBJECT

 public:
  explicit PicturePanel(const AppContext& context, QWidget* parent = nullptr);

  /// Looks for what has come since; 0: no run.
  void setRun(qint64 run);
  PictureModel* model() const { return model_; }
  /// What is said of selected samples that were not kept; empty where all were.
  QString missing() const;

 Q_SIGNALS:
  void loaded();

 protected:
  void showEvent(QShowEvent* event) override;

 private:
  QWidget* buildList();
  QWidget* buildViewer();
  void load();
  /// Index of the set that is filtered to; -1: all.
  int shownSet() const;
  void showEmpty();
  void fill();
  void showCurrent();

  AppContext context_;
  KeptPictures kept_;
  PictureModel* model_;
  QStackedWidget* stack_;
  EmptyState* empty_;
  QLabel* missing_;
  QLabel* count_;
  QComboBox* set_;
  QCheckBox* onlySelected_;
  QListView* list_;
  QLabel* none_;
  ImageView* view_;
  QLabel* name_;
  QLabel* details_;
  qint64 run_ = 0;
  quint64 request_ = 0;
};

}  // namespace bulwark
