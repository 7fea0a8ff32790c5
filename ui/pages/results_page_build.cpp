// The parts of the Results page: selectors, plots and table.
#include <QButtonGroup>
#include <QCheckBox>
#include <QComboBox>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QLabel>
#include <QPushButton>
#include <QStackedWidget>
#include <QTableView>
#include <QVBoxLayout>
#include <utility>

#include "core/health/check.h"
#include "ui/bridge/database_service.h"
#include "ui/bridge/experiment_draft.h"
#include "ui/bridge/health_runner.h"
#include "ui/bridge/job_controller.h"
#include "ui/bridge/navigator.h"
#include "ui/bridge/run_focus.h"
#include "ui/bridge/selection_hub.h"
#include "ui/models/result_table_model.h"
#include "ui/models/threshold_model.h"
#include "ui/pages/class_map_panel.h"
#include "ui/pages/page_support.h"
#include "ui/pages/results_page.h"
#include "ui/plots/curve_plot.h"
#include "ui/plots/curve_switch.h"
#include "ui/plots/histogram_plot.h"
#include "ui/plots/layer_plot.h"
#include "ui/plots/score_switch.h"
#include "ui/widgets/elided_label.h"
#include "ui/widgets/health_label.h"
#include "ui/widgets/health_panel.h"
#include "ui/widgets/panel.h"
#include "ui/widgets/view_grid.h"
#include "ui/widgets/whole_rows.h"

namespace bulwark {

QWidget* ResultsPage::buildHeader() {
  auto* header = new QWidget(this);
  runName_ = new ElidedLabel({}, header);
  runName_->setObjectName(QStringLiteral("resultsRun"));
  runName_->setProperty("role", "muted");
  accuracy_ = new ElidedLabel({}, header);
  accuracy_->setObjectName(QStringLiteral("resultsAccuracy"));
  health_ = new HealthLabel(header);
  health_->setObjectName(QStringLiteral("resultsHealth"));
  health_->setAlignment(Qt::AlignLeft | Qt::AlignVCenter);
  connect(health_, &HealthLabel::clicked, this, [this] {
    showPart(Health);
    healthPanel_->showCheck();
  });
  // Beside the title, above each other: what is said of the run and how far it can be trusted.
  auto* names = new QHBoxLayout;
  names->setSpacing(12);
  names->addWidget(runName_, 1);
  names->addWidget(accuracy_);
  auto* said = new QVBoxLayout;
  said->setSpacing(0);
  said->addLayout(names);
  said->addWidget(health_);
  auto* first = new QHBoxLayout;
  first->setSpacing(12);
  first->addWidget(pageTitle(tr("Results"), header));
  first->addLayout(said, 1);
  first->addWidget(buildSwitch());

  const auto selector = [&](const char* name, const QString& help) {
    auto* box = new QComboBox(header);
    box->setObjectName(QLatin1String(name));
    box->setToolTip(help);
    box->setSizeAdjustPolicy(QComboBox::AdjustToContents);
    box->setMinimumContentsLength(10);
    connect(box, &QComboBox::currentIndexChanged, this, &ResultsPage::loadDetector);
    return box;
  };
  detector_ = selector("resultsDetector", tr("Whose scores the plots show"));
  attack_ = selector("resultsAttack", tr("Which attack the plots compare with the clean scores"));
  attack_->setMinimumContentsLength(6);
  out_ = selector("resultsOut", tr("Which out-of-distribution set the plots show"));
  selection_ = new ElidedLabel({}, header);
  selection_->setObjectName(QStringLiteral("resultsSelection"));
  // It takes what the selectors leave.
  selection_->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Fixed);
  QSizePolicy room = selection_->sizePolicy();
  room.setRetainSizeWhenHidden(true);
  selection_->setSizePolicy(room);
  auto* second = new QHBoxLayout;
  second->setSpacing(8);
  second->addWidget(fieldLabel(tr("&Detector"), detector_, header));
  second->addWidget(detector_);
  second->addSpacing(8);
  second->addWidget(fieldLabel(tr("&Attack"), attack_, header));
  second->addWidget(attack_);
  second->addSpacing(8);
  second->addWidget(fieldLabel(tr("&Out set"), out_, header));
  second->addWidget(out_);
  second->addSpacing(8);
  second->addWidget(selection_, 1);

  auto* layout = new QVBoxLayout(header);
  layout->setContentsMargins(0, 0, 0, 0);
  layout->setSpacing(8);
  layout->addLayout(first);
  layout->addLayout(second);
  return header;
}

QWidget* ResultsPage::buildSwitch() {
  auto* bar = new QFrame(this);
  auto* row = new QHBoxLayout(bar);
  row->setContentsMargins(0, 0, 0, 0);
  row->setSpacing(0);
  switch_ = new QButtonGroup(this);
  const auto add = [&](int id, const QString& title, const char* name, const char* position,
                       const QString& tip) {
    auto* button = new QPushButton(title, bar);
    button->setObjectName(QLatin1String(name));
    button->setCheckable(true);
    button->setProperty("segment", true);
    button->setProperty("position", position);
    button->setToolTip(tip);
    switch_->addButton(button, id);
    row->addWidget(button);
  };
  add(Figures, tr("&Figures"), "showFigures", "first", tr("Scores, curves and the AUROC table"));
  add(Classes, tr("&Classes"), "showClasses", "middle",
      tr("Where a detector that judges by the predicted class sees the images of each class"));
  add(Health, tr("&Health"), "showHealth", "last", tr("How far these figures can be trusted"));
  switch_->button(Figures)->setChecked(true);
  switch_->button(Classes)->hide();
  connect(switch_, &QButtonGroup::idClicked, this, [this](int id) { showPart(Part(id)); });
  return bar;
}

void ResultsPage::buildHealth() {
  healthPanel_ = new HealthPanel(this);
  parts_->addWidget(healthPanel_);
  connect(healthPanel_, &HealthPanel::thresholdsEdited, this, [this](const Json& thresholds) {
    context_.database->run(
        this,
        [run = shownRun_, thresholds](RunStore& store) {
          const RunRecord record = store.run(run);
          store.setRunSummary(run, rejudged(record.summary, thresholds), record.timings);
        },
        [this] { reload(); });
  });
  connect(healthPanel_, &HealthPanel::rerunWanted, this, [this](Json specification) {
    // The limits this run is judged by go with it.
    if (summary_.is_object() && summary_.contains("health_thresholds")) {
      specification["evaluation"]["health_thresholds"] = summary_.at("health_thresholds");
    }
    if (context_.draft) context_.draft->load(specification);
    if (context_.navigator) context_.navigator->showPage(PageId::Attack);
  });
  if (!context_.jobs) return;
  healthRunner_ = context_.jobs->health();
  healthPanel_->setRunner(healthRunner_);
  connect(healthRunner_, &HealthRunner::finished, this, &ResultsPage::reload);
}

void ResultsPage::buildClasses() {
  classes_ = new ClassMapPanel(context_, this);
  parts_->addWidget(classes_);
  const auto choose = [this](const QString& detector) {
    if (const int at = detector_->findData(detector); at >= 0) detector_->setCurrentIndex(at);
  };
  connect(classes_, &ClassMapPanel::detectorWanted, this, choose);
  connect(classes_, &ClassMapPanel::loaded, this, [this, choose] {
    const QStringList mapped = classes_->detectors();
    if (!std::exchange(wantsMapped_, false) || mapped.isEmpty()) return;
    if (!mapped.contains(detector_->currentData().toString())) choose(mapped.first());
  });
}

void ResultsPage::showPart(Part part) {
  if (part == Classes && !classesApply_) return;
  wantsMapped_ = part == Classes;
  parts_->setCurrentIndex(part);
  switch_->button(part)->setChecked(true);
  // The maps are of clean images.
  attack_->setEnabled(attack_->count() > 1 && part != Classes);
  // Asked when it matters: the answer takes a process.
  if (part == Health && healthRunner_ && healthRunner_->reason().isEmpty()) healthRunner_->probe();
}

ResultsPage::Part ResultsPage::part() const {
  return Part(switch_->checkedId());
}

QWidget* ResultsPage::buildViews() {
  histogram_ = new HistogramPlot(this);
  histogram_->setObjectName(QStringLiteral("resultsHistogram"));
  auto* log = new QCheckBox(tr("log"), histogram_);
  log->setObjectName(QStringLiteral("histogramLog"));
  log->setToolTip(tr("Logarithmic share axis: shows small tails"));
  connect(log, &QCheckBox::toggled, histogram_, &HistogramPlot::setLogScale);
  histogram_->headerLayout()->addWidget(log);
  histogram_->setEmptyText(tr("No scores of this detector yet"));
  roc_ = new RocPlot(this);
  roc_->setObjectName(QStringLiteral("resultsRoc"));
  roc_->setEmptyText(tr("A ROC curve needs the scores of an in and an out set"));
  pr_ = new PrPlot(this);
  pr_->setObjectName(QStringLiteral("resultsPr"));
  pr_->setEmptyText(tr("A curve needs the scores of an in and an out set"));

  model_ = new ResultTableModel(this);
  table_ = new QTableView(this);
  table_->setObjectName(QStringLiteral("resultsTable"));
  table_->setAccessibleName(tr("AUROC of the four settings"));
  table_->setModel(model_);
  table_->setItemDelegate(new IntervalDelegate(table_));
  table_->setSelectionBehavior(QAbstractItemView::SelectRows);
  table_->setSelectionMode(QAbstractItemView::SingleSelection);
  table_->setEditTriggers(QAbstractItemView::NoEditTriggers);
  table_->setShowGrid(false);
  table_->setAlternatingRowColors(true);
  table_->setFrameShape(QFrame::NoFrame);
  table_->setWordWrap(false);
  table_->verticalHeader()->hide();
  table_->horizontalHeader()->setHighlightSections(false);
  table_->horizontalHeader()->setMinimumSectionSize(56);
  table_->horizontalHeader()->setSectionResizeMode(QHeaderView::ResizeToContents);
  // The name of the out set gives way; it is in the selector and in the tooltip as well.
  table_->horizontalHeader()->setSectionResizeMode(ResultTableModel::Out, QHeaderView::Stretch);
  table_->setHorizontalScrollMode(QAbstractItemView::ScrollPerPixel);
  auto* panel = new QWidget(this);
  QLabel* title = roleLabel(tr("AUROC, with 95 % intervals"), "heading", panel);
  title->setContentsMargins(4, 4, 0, 2);
  auto* inside = new QVBoxLayout(panel);
  inside->setContentsMargins(0, 0, 0, 0);
  inside->setSpacing(2);
  inside->addWidget(title);
  inside->addWidget(new WholeRows(table_, panel), 1);

  pr_->setTitle(tr("Precision and recall"));
  curves_ = new CurveSwitch(pr_, this);
  scores_ = new ScoreSwitch(histogram_, this);
  ScoreScatter* scatter = scores_->scatter();
  grid_ = new ViewGrid({scores_, roc_, curves_, panel}, this);
  for (PlotWidget* plot :
       std::initializer_list<PlotWidget*>{histogram_, scatter, roc_, pr_, curves_->trend(),
                                          curves_->weights(), curves_->layers()}) {
    connectPlot(plot, context_);
  }
  connect(scores_, &ScoreSwitch::maximizeRequested, grid_, [this] { grid_->toggleMaximized(0); });
  connect(roc_, &PlotWidget::maximizeRequested, grid_, [this] { grid_->toggleMaximized(1); });
  connect(curves_, &CurveSwitch::maximizeRequested, grid_, [this] { grid_->toggleMaximized(2); });
  connect(table_, &QTableView::doubleClicked, grid_, [this] { grid_->toggleMaximized(3); });
  connect(table_->selectionModel(), &QItemSelectionModel::currentRowChanged, this,
          &ResultsPage::pickLine);
  for (ScorePlot* plot : {static_cast<ScorePlot*>(histogram_), static_cast<ScorePlot*>(scatter)}) {
    connect(plot, &ScorePlot::thresholdMoved, thresholds_, &ThresholdModel::setThreshold);
  }
  connectSamples(histogram_, context_, tr("Select in the histogram"));
  connectSamples(scatter, context_, tr("Select in the scatter"));
  for (CurvePlot* plot : {static_cast<CurvePlot*>(roc_), static_cast<CurvePlot*>(pr_)}) {
    connect(plot, &CurvePlot::thresholdPicked, this, &ResultsPage::pickBetween);
  }
  return grid_;
}

}  // namespace bulwark
