#pragma once

#include <QWidget>

#include "core/experiment/class_map_file.h"
#include "ui/bridge/app_context.h"
#include "ui/bridge/artefact_set.h"

class QComboBox;
class QStackedWidget;

namespace bulwark {

class ClassMapPlot;
class EmptyState;

/// Where a detector that judges by the predicted class sees the images of a run, class by class.
/// What a detector and an out set leave out is read only once it is looked at.
class ClassMapPanel : public QWidget {
  Q_OBJECT

 public:
  explicit ClassMapPanel(const AppContext& context, QWidget* parent = nullptr);

  /// Looks for what has come since; 0: no run.
  void setRun(qint64 run);
  void choose(const QString& detector, const QString& out);
  /// Those whose maps the run has; known once they are `loaded`.
  QStringList detectors() const;
  ClassMapPlot* plot() const { return plot_; }

 Q_SIGNALS:
  void loaded();
  /// Another detector than the one chosen has a map.
  void detectorWanted(const QString& detector);

 protected:
  void showEvent(QShowEvent* event) override;

 private:
  void load();
  void refresh();
  void showPart();

  AppContext context_;
  ArtefactSet<ClassMap> maps_;
  ClassMapPlot* plot_;
  QComboBox* part_;
  QStackedWidget* stack_;
  EmptyState* empty_;
  QString detector_, out_;
  qint64 run_ = 0;
  quint64 request_ = 0;
};

}  // namespace bulwark
