#include "ui/pages/class_map_panel.h"

#include <QComboBox>
#include <QScrollArea>
#include <QSignalBlocker>
#include <QStackedWidget>
#include <QVBoxLayout>

#include "ui/bridge/database_service.h"
#include "ui/bridge/selection_hub.h"
#include "ui/models/class_map_text.h"
#include "ui/pages/page_support.h"
#include "ui/plots/class_map_plot.h"
#include "ui/widgets/panel.h"

namespace bulwark {

ClassMapPanel::ClassMapPanel(const AppContext& context, QWidget* parent)
    : QWidget(parent), context_(context) {
  setObjectName(QStringLiteral("classMapPanel"));
  auto* panel = new Panel({}, this);
  auto* area = new QScrollArea(panel);
  area->setWidgetResizable(true);
  area->setFrameShape(QFrame::NoFrame);
  auto* inside = new QWidget;  // what stands directly in an area is transparent
  auto* layout = new QVBoxLayout(inside);
  layout->setContentsMargins(0, 0, 0, 0);
  plot_ = new ClassMapPlot(inside);
  plot_->setObjectName(QStringLiteral("classMap"));
  layout->addWidget(plot_);
  area->setWidget(inside);
  panel->body()->addWidget(area, 1);
  part_ = new QComboBox(plot_);
  part_->setObjectName(QStringLiteral("classMapPart"));
  part_->setToolTip(tr("Whose features place the images: those of the layer or the logits"));
  part_->setSizeAdjustPolicy(QComboBox::AdjustToContents);
  plot_->headerLayout()->addWidget(fieldLabel(tr("&Part"), part_, plot_));
  plot_->headerLayout()->addWidget(part_);
  connect(part_, &QComboBox::currentIndexChanged, this, &ClassMapPanel::showPart);
  connectPlot(plot_, context_);
  connectSamples(plot_, context_, tr("Select in the class map"));
  connect(context_.selection, &SelectionHub::changed, this,
          [this] { plot_->setSelection(context_.selection->current()); });
  empty_ = new EmptyState(QStringLiteral("results"), {}, {}, tr("Show it"), this);
  connect(empty_, &EmptyState::actionTriggered, this, [this] {
    if (!maps_.items.empty()) Q_EMIT detectorWanted(detectors().first());
  });
  stack_ = fillPage(this, empty_, panel);
  refresh();
}

void ClassMapPanel::setRun(qint64 run) {
  if (run != run_) {
    maps_ = {};
    refresh();
  }
  run_ = run;
  if (isVisible()) load();
}

void ClassMapPanel::showEvent(QShowEvent* event) {
  QWidget::showEvent(event);
  load();
}

void ClassMapPanel::load() {
  const quint64 request = ++request_;
  if (run_ == 0) return;
  context_.database->run(
      this,
      [run = run_, known = maps_.signature](RunStore& store) {
        return loadArtefacts<ClassMap>(store, run, known, {"svdd"});
      },
      [this, request](std::optional<ArtefactSet<ClassMap>> maps) {
        if (request != request_) return;
        if (maps) {
          maps_ = std::move(*maps);
          refresh();
        }
        Q_EMIT loaded();
      });
}

QStringList ClassMapPanel::detectors() const {
  QStringList names;
  for (const auto& map : maps_.items) names += QString::fromStdString(map->detector);
  return names;
}

void ClassMapPanel::choose(const QString& detector, const QString& out) {
  if (detector == detector_ && out == out_) return;
  detector_ = detector;
  out_ = out;
  refresh();
}

void ClassMapPanel::refresh() {
  const auto at = detectors().indexOf(detector_);
  empty_->button()->setVisible(!maps_.items.empty());
  if (at >= 0) {
    const ClassMap& map = *maps_.items[std::size_t(at)];
    QStringList names, numbers;
    for (std::size_t part = 0; part < map.parts.size(); ++part) {
      names += classMapPart(map, part);
      numbers += QString::number(part);
    }
    fillChoices(part_, names, numbers);
    showPart();
    stack_->setCurrentIndex(1);
    return;
  }
  plot_->showMap(nullptr, 0, {});
  stack_->setCurrentIndex(0);
  if (!maps_.items.empty()) {
    empty_->setText(tr("No class map of %1").arg(detector_),
                    tr("It does not judge an image as one of its predicted class. In this run %1 "
                       "does.")
                        .arg(detectors().join(QStringLiteral(", "))));
  } else if (!maps_.problem.isEmpty()) {
    empty_->setText(tr("The class map cannot be read"), maps_.problem);
  } else if (maps_.signature.empty()) {
    empty_->setText(tr("Reading the class map…"), {});
  } else if (!isFinal(maps_.state)) {
    empty_->setText(tr("No class map yet"),
                    tr("The run is %1. The map appears here by itself as soon as the detector has "
                       "scored the clean images.")
                        .arg(QString::fromStdString(toString(maps_.state))));
  } else {
    empty_->setText(
        tr("This run kept no class map"),
        tr("The detector svdd keeps where it sees the clean images while a run is executed; runs "
           "of earlier versions have no such map. To get one press \"Use this configuration\" in "
           "the inspector and start the run once more; with the same seed its figures stay the "
           "same."));
  }
}

void ClassMapPanel::showPart() {
  const auto at = detectors().indexOf(detector_);
  if (at < 0) return;
  const auto part = std::size_t(std::max(0, part_->currentIndex()));
  const auto& map = maps_.items[std::size_t(at)];
  plot_->setFileStem(QStringLiteral("class-map-%1-%2-%3")
                         .arg(detector_, QString::fromStdString(map->parts[part].name), out_));
  plot_->showMap(map, part, out_);
}

}  // namespace bulwark
