#include "ui/pages/strip_panel.h"

#include <QComboBox>
#include <QGridLayout>
#include <QLabel>
#include <QListWidget>
#include <QScrollArea>
#include <QSignalBlocker>
#include <QSpinBox>
#include <QSplitter>
#include <QStackedWidget>
#include <QVBoxLayout>

#include "ui/bridge/navigator.h"
#include "ui/models/strip_text.h"
#include "ui/pages/page_support.h"
#include "ui/plots/basin_plot.h"
#include "ui/plots/strip_plot.h"
#include "ui/widgets/panel.h"

namespace bulwark {

namespace {

constexpr int kThumbnail = 36;

}  // namespace

StripPanel::StripPanel(const AppContext& context, QWidget* parent)
    : QWidget(parent), context_(context) {
  setObjectName(QStringLiteral("stripPanel"));
  auto* content = new QSplitter(Qt::Horizontal, this);
  content->setObjectName(QStringLiteral("stripSplit"));
  content->setChildrenCollapsible(false);
  content->setHandleWidth(8);
  content->addWidget(buildList());
  content->addWidget(buildPlots());
  content->setStretchFactor(0, 0);
  content->setStretchFactor(1, 1);
  content->setSizes({250, 900});
  empty_ = new EmptyState(QStringLiteral("images"), {}, {}, {}, this);
  stack_ = fillPage(this, empty_, content);
  showEmpty();
}

QWidget* StripPanel::buildList() {
  auto* panel = new Panel(tr("Images kept"), this);
  const auto box = [&](const char* name, const QString& help) {
    auto* combo = new QComboBox(panel);
    combo->setObjectName(QLatin1String(name));
    combo->setToolTip(help);
    combo->setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    combo->setMinimumContentsLength(8);
    return combo;
  };
  detector_ = box("stripDetector", tr("Whose strips are shown"));
  set_ = box("stripSet", tr("Show the images of this set"));
  connect(detector_, &QComboBox::currentIndexChanged, this, [this] {
    fillSets();
    Q_EMIT detectorChanged();
  });
  connect(set_, &QComboBox::currentIndexChanged, this, &StripPanel::fillList);
  auto* filters = new QGridLayout;
  filters->setHorizontalSpacing(8);
  filters->setVerticalSpacing(6);
  detectorLabel_ = fieldLabel(tr("&Detector"), detector_, panel);
  filters->addWidget(detectorLabel_, 0, 0);
  filters->addWidget(detector_, 0, 1);
  filters->addWidget(fieldLabel(tr("&Set"), set_, panel), 1, 0);
  filters->addWidget(set_, 1, 1);
  filters->setColumnStretch(1, 1);
  panel->body()->addLayout(filters);
  list_ = new QListWidget(panel);
  list_->setObjectName(QStringLiteral("stripList"));
  list_->setAccessibleName(tr("Images whose iterations were kept"));
  list_->setIconSize({kThumbnail, kThumbnail});
  list_->setUniformItemSizes(true);
  list_->setTextElideMode(Qt::ElideRight);
  list_->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
  connect(list_, &QListWidget::currentRowChanged, this, &StripPanel::showCurrent);
  panel->body()->addWidget(list_, 1);
  panel->setMinimumWidth(200);
  return panel;
}

QWidget* StripPanel::buildPlots() {
  auto* panel = new Panel({}, this);
  plots_ = new QStackedWidget(panel);
  strip_ = new StripPlot(plots_);
  strip_->setObjectName(QStringLiteral("iterationStrip"));
  auto* area = new QScrollArea(plots_);
  area->setWidgetResizable(true);
  area->setFrameShape(QFrame::NoFrame);
  auto* inside = new QWidget;  // what stands directly in an area is transparent
  auto* layout = new QVBoxLayout(inside);
  layout->setContentsMargins(0, 0, 0, 0);
  layout->addWidget(strip_);
  area->setWidget(inside);
  plots_->addWidget(area);
  basin_ = new BasinPlot(plots_);
  basin_->setObjectName(QStringLiteral("basinPlot"));
  passes_ = new QSpinBox(basin_);
  passes_->setObjectName(QStringLiteral("basinPasses"));
  passes_->setToolTip(tr("Passes through the network after which the image is shown"));
  passes_->setMinimum(1);
  connect(passes_, &QSpinBox::valueChanged, this, &StripPanel::showCurrent);
  basin_->headerLayout()->addWidget(fieldLabel(tr("&Passes"), passes_, basin_));
  basin_->headerLayout()->addWidget(passes_);
  plots_->addWidget(basin_);
  for (PlotWidget* plot : {static_cast<PlotWidget*>(strip_), static_cast<PlotWidget*>(basin_)}) {
    connectPlot(plot, context_);
  }
  strip_->setFileStem(QStringLiteral("iterations"));
  basin_->setFileStem(QStringLiteral("basin"));
  panel->body()->addWidget(plots_, 1);
  return panel;
}

void StripPanel::showEmpty() {
  if (!strips_.problem.isEmpty()) {
    empty_->setText(tr("The iteration strips cannot be read"), strips_.problem);
  } else if (strips_.applies && !isFinal(strips_.state)) {
    empty_->setText(tr("No iteration strips yet"),
                    tr("The run is %1. Its strips appear here by themselves as soon as the "
                       "detector has scored the clean images.")
                        .arg(QString::fromStdString(toString(strips_.state))));
  } else {
    empty_->setText(
        tr("This run kept no iteration strips"),
        tr("The detector attractor keeps the iterations of some images while a run is executed. "
           "Runs of earlier versions have none, nor do those whose option strip_images was 0. To "
           "get them press \"Use this configuration\" in the inspector, see on the Attack page "
           "that strip_images of the detector is above 0 (8 unless it was changed) and start the "
           "run once more; with the same seed its figures stay the same."));
  }
  strip_->showSample(nullptr, 0);
  basin_->showSample(nullptr, 0, 0);
  stack_->setCurrentIndex(0);
}

void StripPanel::setStrips(StripSet strips) {
  strips_ = std::move(strips);
  if (strips_.items.empty()) {
    showEmpty();
    return;
  }
  QStringList names, numbers;
  for (std::size_t i = 0; i < strips_.items.size(); ++i) {
    names += QString::fromStdString(strips_.items[i]->detector);
    numbers += QString::number(i);
  }
  fillChoices(detector_, names, numbers);
  detector_->setVisible(names.size() > 1);
  detectorLabel_->setVisible(names.size() > 1);
  stack_->setCurrentIndex(1);
  fillSets();
}

const std::shared_ptr<const IterationStrips>& StripPanel::chosen() const {
  return strips_.items[std::size_t(std::max(0, detector_->currentIndex()))];
}

void StripPanel::fillSets() {
  if (strips_.items.empty()) return;
  const IterationStrips& strips = *chosen();
  QStringList names = {tr("all")}, numbers = {QString()};
  for (std::size_t i = 0; i < strips.sets.size(); ++i) {
    names += stripSetName(strips.sets[i]);
    numbers += QString::number(i);
  }
  fillChoices(set_, names, numbers);
  {
    const QSignalBlocker quiet(passes_);
    const bool first = passes_->maximum() != strips.iterations;
    passes_->setMaximum(int(strips.iterations));
    if (first) passes_->setValue(int(strips.iterations));
  }
  fillList();
}

void StripPanel::fillList() {
  if (strips_.items.empty()) return;
  const IterationStrips& strips = *chosen();
  const QString before = list_->currentItem() ? list_->currentItem()->text() : QString();
  const QString wanted = set_->currentData().toString();
  {
    const QSignalBlocker quiet(list_);
    list_->clear();
    for (std::size_t i = 0; i < strips.samples.size(); ++i) {
      if (!wanted.isEmpty() && wanted.toULongLong() != strips.samples[i].set) continue;
      const QImage picture = stripPicture(strips, i, 0, 0)
                                 .scaled(kThumbnail, kThumbnail, Qt::KeepAspectRatio)
                                 .convertToFormat(QImage::Format_RGB32);
      auto* item = new QListWidgetItem(QIcon(QPixmap::fromImage(picture)),
                                       stripSampleEntry(strips, i), list_);
      item->setToolTip(stripSampleName(strips, i));
      item->setData(Qt::UserRole, qulonglong(i));
      if (item->text() == before) list_->setCurrentItem(item);
    }
    if (!list_->currentItem() && list_->count() > 0) list_->setCurrentRow(0);
  }
  showCurrent();
}

void StripPanel::showCurrent() {
  const QListWidgetItem* item = list_->currentItem();
  if (strips_.items.empty() || !item) return;
  const auto sample = std::size_t(item->data(Qt::UserRole).toULongLong());
  strip_->showSample(chosen(), sample);
  basin_->showSample(chosen(), sample, passes_->value());
  const IterationStrips::Sample& of = chosen()->samples[sample];
  const QString stem = QStringLiteral("%1-%2").arg(
      QString::fromStdString(chosen()->sets[of.set].name), QString::number(of.index));
  strip_->setFileStem(QStringLiteral("iterations-") + stem);
  basin_->setFileStem(QStringLiteral("basin-") + stem);
}

void StripPanel::showDetector(const QString& detector) {
  if (const int at = detector_->findText(detector); at >= 0) detector_->setCurrentIndex(at);
}

void StripPanel::showBasin(bool basin) {
  plots_->setCurrentIndex(basin ? 1 : 0);
}

bool StripPanel::showSample(const SampleSide& side, qint64 index) {
  if (strips_.items.empty()) return false;
  const IterationStrips& strips = *chosen();
  const std::string role = side.out ? "out" : "in";
  for (std::size_t i = 0; i < strips.samples.size(); ++i) {
    const IterationStrips::Set& set = strips.sets[strips.samples[i].set];
    if (strips.samples[i].index != index || set.role != role ||
        set.name != side.dataset.toStdString()) {
      continue;
    }
    if (!set_->currentData().toString().isEmpty()) set_->setCurrentIndex(0);
    for (int row = 0; row < list_->count(); ++row) {
      if (list_->item(row)->data(Qt::UserRole).toULongLong() == i) list_->setCurrentRow(row);
    }
    return true;
  }
  return false;
}

std::set<qint64> StripPanel::kept(const SampleSide& side) const {
  std::set<qint64> found;
  if (strips_.items.empty()) return found;
  const IterationStrips& strips = *chosen();
  for (const IterationStrips::Sample& sample : strips.samples) {
    const IterationStrips::Set& set = strips.sets[sample.set];
    if (set.role == (side.out ? "out" : "in") && set.name == side.dataset.toStdString()) {
      found.insert(sample.index);
    }
  }
  return found;
}

}  // namespace bulwark
