#pragma once

#include <QWidget>
#include <set>

#include "core/experiment/strip_file.h"
#include "ui/bridge/app_context.h"
#include "ui/bridge/artefact_set.h"
#include "ui/bridge/selection_hub.h"

class QComboBox;
class QListWidget;
class QSpinBox;
class QStackedWidget;

namespace bulwark {

class BasinPlot;
class EmptyState;
class StripPlot;

/// The iteration strips of a run, one for each detector that keeps them.
using StripSet = ArtefactSet<IterationStrips>;

/// Where an attractor network takes images: a list of those that the run has kept, and of the one
/// chosen the iteration strip or the basin picture.
class StripPanel : public QWidget {
  Q_OBJECT

 public:
  explicit StripPanel(const AppContext& context, QWidget* parent = nullptr);

  void setStrips(StripSet strips);
  /// Shows the strips of that detector, if it has kept any.
  void showDetector(const QString& detector);
  /// The basin picture instead of the iteration strip.
  void showBasin(bool basin);
  /// Shows that image; false where nothing was kept of it.
  bool showSample(const SampleSide& side, qint64 index);
  /// The images of that set that the strips shown were kept of.
  std::set<qint64> kept(const SampleSide& side) const;
  StripPlot* strip() const { return strip_; }
  BasinPlot* basin() const { return basin_; }

 Q_SIGNALS:
  /// The strips of another detector are shown.
  void detectorChanged();

 private:
  QWidget* buildList();
  QWidget* buildPlots();
  void showEmpty();
  void fillSets();
  void fillList();
  void showCurrent();
  const std::shared_ptr<const IterationStrips>& chosen() const;

  AppContext context_;
  StripSet strips_;
  QStackedWidget* stack_;
  EmptyState* empty_;
  QComboBox* detector_;
  QWidget* detectorLabel_;
  QComboBox* set_;
  QListWidget* list_;
  QStackedWidget* plots_;
  StripPlot* strip_;
  BasinPlot* basin_;
  QSpinBox* passes_;
};

}  // namespace bulwark
