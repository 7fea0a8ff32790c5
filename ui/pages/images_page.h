#pragma once

#include <QTimer>
#include <QWidget>
#include <set>
#include <span>

#include "core/store/records.h"
#include "ui/bridge/app_context.h"

class QButtonGroup;
class QCheckBox;
class QComboBox;
class QLabel;
class QListView;
class QPushButton;
class QSlider;
class QStackedWidget;

namespace bulwark {

class ElidedLabel;
class EmptyState;
class ImagePairFilter;
class ImagePairModel;
class ImageView;
class LinePlot;
class PicturePanel;
class StripPanel;
struct SampleSide;

/// Images before and after an attack, what changed, and how the score went step by step; of runs on
/// an attractor network also where it takes images, and the clean images that a run has kept.
class ImagesPage : public QWidget {
  Q_OBJECT

 public:
  enum Part { Pairs, Iterations, Basin, Pictures };

  explicit ImagesPage(const AppContext& context, QWidget* parent = nullptr);

  /// Id of the pair in the viewer; 0 when there is none.
  qint64 shownPair() const { return pair_.id; }
  bool blinking() const { return blinking_; }
  /// As far as the run has such a part.
  void showPart(Part part);
  Part part() const;

 Q_SIGNALS:
  /// The viewer shows another pair.
  void shown(qint64 pair);

 protected:
  bool eventFilter(QObject* watched, QEvent* event) override;

 private:
  /// How many times the difference may be enlarged.
  static constexpr double gains[] = {1, 2, 5, 10, 20, 50};

  QWidget* buildList();
  QWidget* buildViewer();
  QWidget* buildSwitch();
  void reload();
  void showPairs(std::vector<ImagePair> pairs);
  void applyFilter();
  void loadPair(const QModelIndex& index);
  void showPair(ImagePair pair);
  void showStep();
  void toggleBlink();
  void reloadStrips();
  void refreshParts();
  void followSelection();
  void followDetector();
  QString missingPairs() const;
  QString missingSample() const;
  std::set<qint64> keptPairs(const SampleSide& side) const;
  QString elsewhere() const;
  std::span<const float> stepPixels(int position) const;
  double stepScore(int position) const;
  QString score(double value) const;
  QString stepName(int position) const;
  bool keepsLast() const;
  void sayMissing();
  void clearViewer();

  AppContext context_;
  QStackedWidget* stack_;
  EmptyState* empty_;
  QStackedWidget* parts_;
  QWidget* switchBar_;
  QButtonGroup* switch_;
  StripPanel* strips_;
  PicturePanel* pictures_;
  QComboBox* detector_;
  QComboBox* attack_;
  QComboBox* dataset_;
  QCheckBox* onlySelected_;
  QLabel* count_;
  QListView* list_;
  ImagePairModel* model_;
  ImagePairFilter* filter_;
  ElidedLabel* name_;
  ElidedLabel* missing_;
  QWidget* viewer_;
  ImageView* views_[3];
  ElidedLabel* captions_[3];
  QSlider* step_;
  QLabel* stepText_;
  QSlider* gain_;
  QLabel* gainText_;
  QPushButton* blink_;
  LinePlot* trace_;
  QTimer reloadLater_;
  ImagePair pair_;
  Json specification_;
  std::string stripsKnown_;
  bool stripsApply_ = false;
  bool picturesApply_ = false;
  bool blinking_ = false;
  qint64 shownRun_ = 0;
  quint64 listRequest_ = 0;
  quint64 pairRequest_ = 0;
  quint64 stripRequest_ = 0;
};

}  // namespace bulwark
