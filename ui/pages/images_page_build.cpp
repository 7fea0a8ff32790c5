// The parts of the Images page: the list of pairs and the viewer.
#include <QButtonGroup>
#include <QCheckBox>
#include <QComboBox>
#include <QGridLayout>
#include <QItemSelectionModel>
#include <QLabel>
#include <QListView>
#include <QPushButton>
#include <QSlider>
#include <QSplitter>
#include <QStackedWidget>

#include "ui/bridge/database_service.h"
#include "ui/bridge/navigator.h"
#include "ui/bridge/run_focus.h"
#include "ui/bridge/selection_hub.h"
#include "ui/models/image_pair_model.h"
#include "ui/models/pixels.h"
#include "ui/pages/images_page.h"
#include "ui/pages/page_support.h"
#include "ui/plots/line_plot.h"
#include "ui/widgets/elided_label.h"
#include "ui/widgets/image_view.h"
#include "ui/widgets/panel.h"

namespace bulwark {

QWidget* ImagesPage::buildList() {
  auto* panel = new Panel(tr("Image pairs"), this);
  count_ = roleLabel({}, "muted", panel);
  count_->setObjectName(QStringLiteral("imagesCount"));
  panel->header()->addWidget(count_);
  const auto box = [&](const char* name, const QString& help) {
    auto* combo = new QComboBox(panel);
    combo->setObjectName(QLatin1String(name));
    combo->setToolTip(help);
    combo->setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    combo->setMinimumContentsLength(8);
    connect(combo, &QComboBox::currentIndexChanged, this, &ImagesPage::applyFilter);
    return combo;
  };
  detector_ = box("imagesDetector", tr("Show the pairs of this detector"));
  attack_ = box("imagesAttack", tr("Show the pairs of this attack"));
  dataset_ = box("imagesDataset", tr("Show the pairs of this set"));
  auto* filters = new QGridLayout;
  filters->setHorizontalSpacing(8);
  filters->setVerticalSpacing(6);
  filters->addWidget(fieldLabel(tr("&Detector"), detector_, panel), 0, 0);
  filters->addWidget(detector_, 0, 1);
  filters->addWidget(fieldLabel(tr("&Attack"), attack_, panel), 1, 0);
  filters->addWidget(attack_, 1, 1);
  filters->addWidget(fieldLabel(tr("&Set"), dataset_, panel), 2, 0);
  filters->addWidget(dataset_, 2, 1);
  filters->setColumnStretch(1, 1);
  panel->body()->addLayout(filters);
  onlySelected_ = new QCheckBox(tr("Only &selected samples"), panel);
  onlySelected_->setObjectName(QStringLiteral("imagesOnlySelected"));
  onlySelected_->setToolTip(tr("Samples selected here or in the plots of the Results page"));
  connect(onlySelected_, &QCheckBox::toggled, this, &ImagesPage::applyFilter);
  panel->body()->addWidget(onlySelected_);

  list_ = new QListView(panel);
  list_->setObjectName(QStringLiteral("imagesList"));
  list_->setAccessibleName(tr("Image pairs"));
  list_->setModel(filter_);
  list_->setItemDelegate(new ImagePairDelegate(list_));
  list_->setViewMode(QListView::IconMode);
  list_->setMovement(QListView::Static);
  list_->setResizeMode(QListView::Adjust);
  list_->setUniformItemSizes(true);
  list_->setSpacing(2);
  list_->setSelectionMode(QAbstractItemView::ExtendedSelection);
  list_->setVerticalScrollMode(QAbstractItemView::ScrollPerPixel);
  list_->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
  list_->installEventFilter(this);
  connect(list_->selectionModel(), &QItemSelectionModel::currentChanged, this,
          &ImagesPage::loadPair);
  // One thumbnail is looked at; several become the selection of the window.
  connect(list_->selectionModel(), &QItemSelectionModel::selectionChanged, this, [this] {
    const QModelIndexList chosen = list_->selectionModel()->selectedIndexes();
    if (chosen.size() < 2) return;
    SampleSet samples;
    for (const QModelIndex& index : chosen) {
      const ImagePair& pair = filter_->pair(index);
      samples.insert({QString::fromStdString(pair.dataset), pair.out}, pair.sample);
    }
    context_.selection->commit(samples, tr("Select images"));
  });
  panel->body()->addWidget(list_, 1);
  panel->setMinimumWidth(230);
  return panel;
}

QWidget* ImagesPage::buildSwitch() {
  switchBar_ = new QFrame(this);
  switchBar_->setObjectName(QStringLiteral("imagesSwitch"));
  auto* row = new QHBoxLayout(switchBar_);
  row->setContentsMargins(0, 0, 0, 0);
  row->setSpacing(0);
  switch_ = new QButtonGroup(this);
  const auto add = [&](Part part, const QString& title, const char* name, const char* position,
                       const QString& tip) {
    auto* button = new QPushButton(title, switchBar_);
    button->setObjectName(QLatin1String(name));
    button->setCheckable(true);
    button->setProperty("segment", true);
    button->setProperty("position", position);
    button->setToolTip(tip);
    switch_->addButton(button, part);
    row->addWidget(button);
  };
  add(Pairs, tr("Pai&rs"), "showPairs", "first", tr("Images before and after an attack"));
  add(Iterations, tr("&Iterations"), "showIterations", "middle",
      tr("Where the attractor network takes an image, pass by pass"));
  add(Basin, tr("&Basin"), "showBasin", "last",
      tr("Where an image ends up, the more it is perturbed"));
  add(Pictures, tr("&Clean"), "showPictures", "last", tr("Clean images that the run has kept"));
  switch_->button(Pairs)->setChecked(true);
  switchBar_->hide();
  connect(switch_, &QButtonGroup::idClicked, this, [this](int id) { showPart(Part(id)); });
  return switchBar_;
}

QWidget* ImagesPage::buildViewer() {
  viewer_ = new QWidget(this);
  auto* images = new Panel({}, viewer_);
  auto* row = new QGridLayout;
  row->setHorizontalSpacing(16);
  row->setVerticalSpacing(4);
  const char* names[] = {"imageBefore", "imageAfter", "imageDifference"};
  const QString titles[] = {tr("Before"), tr("After"), tr("Change, enlarged")};
  for (int i = 0; i < 3; ++i) {
    captions_[i] = new ElidedLabel({}, images);
    captions_[i]->setObjectName(QLatin1String(names[i]) + QStringLiteral("Caption"));
    captions_[i]->setProperty("role", "muted");
    views_[i] = new ImageView(images);
    views_[i]->setObjectName(QLatin1String(names[i]));
    views_[i]->setAccessibleName(titles[i]);
    views_[i]->installEventFilter(this);
    row->addWidget(roleLabel(titles[i], "heading", images), 0, i);
    row->addWidget(captions_[i], 1, i);
    row->addWidget(views_[i], 2, i);
    row->setColumnStretch(i, 1);
  }
  row->setRowStretch(2, 1);
  for (ImageView* from : views_) {
    for (ImageView* to : views_) {
      if (from != to) connect(from, &ImageView::viewChanged, to, &ImageView::setView);
    }
  }
  images->body()->addLayout(row, 1);

  const auto slider = [&](const char* name, const QString& help) {
    auto* made = new QSlider(Qt::Horizontal, images);
    made->setObjectName(QLatin1String(name));
    made->setToolTip(help);
    made->setPageStep(1);
    made->setTickPosition(QSlider::TicksBelow);
    made->setTickInterval(1);
    return made;
  };
  step_ = slider("imagesStep", tr("Step of the attack whose image is shown"));
  gain_ = slider("imagesGain", tr("How many times the difference is enlarged"));
  gain_->setRange(0, int(std::size(gains)) - 1);
  gain_->setValue(3);
  gain_->setMaximumWidth(160);
  stepText_ = new QLabel(images);
  stepText_->setObjectName(QStringLiteral("imagesStepText"));
  stepText_->setMinimumWidth(stepText_->fontMetrics().averageCharWidth() * 18);
  gainText_ = new QLabel(images);
  gainText_->setMinimumWidth(gainText_->fontMetrics().averageCharWidth() * 6);
  blink_ = new QPushButton(tr("Blink"), images);
  blink_->setObjectName(QStringLiteral("imagesBlink"));
  blink_->setCheckable(true);
  blink_->setToolTip(tr("Show the image before in the place of the image after (Space)"));
  connect(step_, &QSlider::valueChanged, this, &ImagesPage::showStep);
  connect(gain_, &QSlider::valueChanged, this, &ImagesPage::showStep);
  connect(blink_, &QPushButton::clicked, this, &ImagesPage::toggleBlink);
  auto* controls = new QHBoxLayout;
  controls->setSpacing(8);
  controls->addWidget(fieldLabel(tr("S&tep"), step_, images));
  controls->addWidget(step_, 1);
  controls->addWidget(stepText_);
  controls->addSpacing(8);
  controls->addWidget(fieldLabel(tr("&Gain"), gain_, images));
  controls->addWidget(gain_);
  controls->addWidget(gainText_);
  controls->addWidget(blink_);
  images->body()->addLayout(controls);
  step_->installEventFilter(this);
  gain_->installEventFilter(this);

  auto* below = new Panel({}, viewer_);
  trace_ = new LinePlot(below);
  trace_->setObjectName(QStringLiteral("imagesTrace"));
  trace_->setTitle(tr("Score along the attack"));
  trace_->setAxisTitles(tr("step"), tr("anomaly score"));
  trace_->setEmptyText(tr("This attack kept no steps"));
  trace_->setFileStem(QStringLiteral("score-trace"));
  connectPlot(trace_, context_);
  below->body()->addWidget(trace_, 1);

  auto* split = new QSplitter(Qt::Vertical, viewer_);
  split->setObjectName(QStringLiteral("imagesViewerSplit"));
  split->setChildrenCollapsible(false);
  split->setHandleWidth(8);
  split->addWidget(images);
  split->addWidget(below);
  split->setStretchFactor(0, 3);
  split->setStretchFactor(1, 2);
  auto* layout = new QVBoxLayout(viewer_);
  layout->setContentsMargins(0, 0, 0, 0);
  layout->addWidget(split);
  return viewer_;
}

}  // namespace bulwark
