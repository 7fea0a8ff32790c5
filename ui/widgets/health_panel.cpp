#include "ui/widgets/health_panel.h"

#include <QCheckBox>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QItemSelectionModel>
#include <QLabel>
#include <QProgressBar>
#include <QPushButton>
#include <QScrollBar>
#include <QTableView>
#include <QTimer>
#include <QVBoxLayout>
#include <algorithm>

#include "ui/bridge/health_runner.h"
#include "ui/widgets/check_detail.h"
#include "ui/widgets/health_lights.h"
#include "ui/widgets/panel.h"

namespace bulwark {

namespace {
/// Rows of the list in sight: below it stands what is said of the chosen one.
constexpr int kMostRows = 6;
constexpr int kWide = 860;  // pixels from which on the list has room for its sources
}  // namespace

HealthPanel::HealthPanel(QWidget* parent)
    : QScrollArea(parent),
      lights_(new HealthLights),
      plots_(new HealthPlots),
      model_(new HealthModel(this)),
      filter_(new HealthFilter(this)) {
  setObjectName(QStringLiteral("healthPanel"));
  setWidgetResizable(true);
  setFrameShape(QFrame::NoFrame);
  setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
  filter_->setSourceModel(model_);
  auto* body = new QWidget;
  auto* column = new QVBoxLayout(body);
  column->setContentsMargins(0, 0, 4, 0);
  column->setSpacing(8);
  column->addWidget(lights_);
  plots_->setLast(makeCostly());
  column->addWidget(plots_);
  checks_ = makeChecks();
  column->addWidget(checks_);
  column->addStretch(1);
  setWidget(body);
  connect(lights_, &HealthLights::checkChosen, this, &HealthPanel::showCheck);
  showCostly();
}

QWidget* HealthPanel::makeChecks() {
  auto* panel = new bulwark::Panel(tr("Checks"));
  count_ = roleLabel({}, "muted");
  count_->setObjectName(QStringLiteral("healthCount"));
  onlyProblems_ = new QCheckBox(tr("&Only problems"));
  onlyProblems_->setObjectName(QStringLiteral("healthOnlyProblems"));
  onlyProblems_->setToolTip(tr("Hide the checks that are green or do not apply"));
  panel->header()->addWidget(count_);
  panel->header()->addWidget(onlyProblems_);
  detail_ = new CheckDetail;
  connect(detail_, &CheckDetail::thresholdsEdited, this, &HealthPanel::thresholdsEdited);
  connect(detail_, &CheckDetail::rerunWanted, this, &HealthPanel::rerunWanted);
  table_ = new QTableView;
  table_->setObjectName(QStringLiteral("healthTable"));
  table_->setAccessibleName(tr("Checks of the evaluation"));
  table_->setModel(filter_);
  table_->setItemDelegate(new RuleDelegate(table_));
  table_->setSelectionBehavior(QAbstractItemView::SelectRows);
  table_->setSelectionMode(QAbstractItemView::SingleSelection);
  table_->setEditTriggers(QAbstractItemView::NoEditTriggers);
  table_->setShowGrid(false);
  table_->setAlternatingRowColors(true);
  table_->setFrameShape(QFrame::NoFrame);
  table_->setWordWrap(false);
  table_->setSortingEnabled(true);
  table_->sortByColumn(HealthModel::Verdict, Qt::AscendingOrder);
  table_->verticalHeader()->hide();
  table_->verticalHeader()->setDefaultSectionSize(table_->fontMetrics().height() * 2 + 6);
  table_->setVerticalScrollMode(QAbstractItemView::ScrollPerPixel);
  auto* header = table_->horizontalHeader();
  header->setHighlightSections(false);
  header->setSectionResizeMode(QHeaderView::Fixed);
  header->setSectionResizeMode(HealthModel::Check, QHeaderView::Stretch);
  const std::pair<int, int> widths[] = {{HealthModel::Verdict, 124},
                                        {HealthModel::Id, 136},
                                        {HealthModel::Value, 84},
                                        {HealthModel::Threshold, 84},
                                        {HealthModel::Source, 176}};
  for (const auto& [section, width] : widths) table_->setColumnWidth(section, width);
  panel->body()->addWidget(table_);
  panel->body()->addWidget(detail_);
  connect(table_->selectionModel(), &QItemSelectionModel::currentChanged, this,
          [this](const QModelIndex& index) {
            if (!filling_) choose(index);
          });
  connect(onlyProblems_, &QCheckBox::toggled, this, [this](bool only) {
    filter_->setOnlyProblems(only);
    fitTable();
  });
  return panel;
}

QWidget* HealthPanel::makeCostly() {
  auto* panel = new bulwark::Panel(tr("Costly checks"));
  costlyText_ = roleLabel({}, "muted");
  costlyText_->setObjectName(QStringLiteral("healthCostlyText"));
  costlyText_->setWordWrap(true);
  costlyText_->setAlignment(Qt::AlignLeft | Qt::AlignTop);
  progress_ = new QProgressBar;
  progress_->setObjectName(QStringLiteral("healthProgress"));
  progress_->setTextVisible(false);
  costly_ = new QPushButton(tr("&Run the costly checks"));
  costly_->setObjectName(QStringLiteral("healthRunCostly"));
  cancel_ = new QPushButton(tr("Cancel"));
  cancel_->setObjectName(QStringLiteral("healthCancel"));
  auto* buttons = new QHBoxLayout;
  buttons->addWidget(costly_);
  buttons->addWidget(cancel_);
  buttons->addStretch(1);
  // The panel keeps its size whatever is said in it.
  auto* area = new QScrollArea;
  area->setFrameShape(QFrame::NoFrame);
  area->setWidgetResizable(true);
  area->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
  area->viewport()->setAutoFillBackground(false);
  costlyText_->setAutoFillBackground(false);
  area->setWidget(costlyText_);
  auto kept = progress_->sizePolicy();
  kept.setRetainSizeWhenHidden(true);
  progress_->setSizePolicy(kept);
  panel->body()->addWidget(area, 1);
  panel->body()->addWidget(progress_);
  panel->body()->addLayout(buttons);
  connect(costly_, &QPushButton::clicked, this, [this] {
    outcome_.clear();
    if (runner_) runner_->start(run_, database_);
    showCostly();
  });
  connect(cancel_, &QPushButton::clicked, this, [this] {
    if (runner_) runner_->cancel();
    cancel_->setEnabled(false);
  });
  return panel;
}

void HealthPanel::setRunner(HealthRunner* runner) {
  runner_ = runner;
  if (runner_) {
    connect(runner_, &HealthRunner::probed, this, &HealthPanel::showCostly);
    connect(runner_, &HealthRunner::progress, this, [this](const QString& text, double share) {
      costlyText_->setText(text);
      progress_->setRange(0, share < 0 ? 0 : 1000);
      progress_->setValue(int(share * 1000));
    });
    connect(runner_, &HealthRunner::finished, this,
            [this](qint64 run, bool cancelled, const QString& problem) {
              if (run == run_) {
                outcome_ = cancelled           ? tr("Cancelled; what was finished is kept.")
                           : problem.isEmpty() ? tr("Done: the checks are in the list.")
                                               : tr("Not done: %1").arg(problem);
              }
              showCostly();
            });
  }
  showCostly();
}

void HealthPanel::setRun(qint64 run, const QString& database, const QString& cost) {
  if (run != run_) {
    outcome_.clear();
    chosen_.clear();  // the worst of the other run is chosen anew
    fresh_ = true;
  }
  run_ = run;
  database_ = database;
  cost_ = cost;
  showCostly();
}

void HealthPanel::showCostly() {
  const bool running = runner_ && runner_->isRunning();
  const bool can = runner_ && runner_->isAvailable() && run_ != 0;
  costly_->setVisible(!running);
  costly_->setEnabled(can);
  cancel_->setVisible(running);
  cancel_->setEnabled(running);
  progress_->setVisible(running);
  if (running) {
    costlyText_->setText(tr("Starting the checks of run %1 …").arg(runner_->run()));
    progress_->setRange(0, 0);
    return;
  }
  QString text =
      tr("More steps, more restarts, black boxes, transfer and an unbounded attack, on "
         "a part of the images: is there a worse point?");
  if (!cost_.isEmpty()) text += u' ' + cost_;
  if (!outcome_.isEmpty()) text = outcome_;
  const QString reason = runner_ ? runner_->reason() : tr("No command-line program is known.");
  if (!can && !reason.isEmpty()) text += u'\n' + reason;
  costlyText_->setText(text);
  costly_->setToolTip(can ? cost_ : reason);
}

void HealthPanel::choose(const QModelIndex& index) {
  if (!index.isValid()) {
    detail_->clear();
    return;
  }
  const auto& entry = model_->entries()[std::size_t(filter_->mapToSource(index).row())];
  chosen_ = entry.name();
  detail_->showCheck(entry);
}

/// The first of the worst verdict; -1: there is no problem.
int HealthPanel::worstRow() const {
  int worst = -1;
  const auto verdictAt = [this](int row) {
    return filter_->index(row, 0).data(HealthModel::VerdictRole).toInt();
  };
  for (int row = 0; row < filter_->rowCount(); ++row) {
    if (verdictAt(row) < int(HealthVerdict::Amber)) continue;
    if (worst < 0 || verdictAt(row) > verdictAt(worst)) worst = row;
  }
  return worst;
}

int HealthPanel::rowOf(const QString& name) const {
  for (int row = 0; row < filter_->rowCount(); ++row) {
    if (filter_->index(row, HealthModel::Id).data().toString() == name) return row;
  }
  return -1;
}

void HealthPanel::chooseRow(int row) {
  const QModelIndex index = row < 0 ? QModelIndex() : filter_->index(row, 0);
  table_->setCurrentIndex(index);
  choose(index);
}

void HealthPanel::showCheck(const QString& name) {
  const int row = rowOf(name);
  chooseRow(row < 0 ? worstRow() : row);
  scrollToChecks();
  QTimer::singleShot(0, this, &HealthPanel::scrollToChecks);  // the page may just have been shown
}

void HealthPanel::scrollToChecks() {
  table_->scrollTo(table_->currentIndex());
  ensureWidgetVisible(checks_, 0, 0);
  // Where the list and what it says of the check do not fit both, the list's start counts.
  if (checks_->height() > viewport()->height()) {
    verticalScrollBar()->setValue(checks_->mapTo(widget(), QPoint(0, 0)).y());
  }
}

void HealthPanel::showSummary(const Json& summary, const Json& specification) {
  Json thresholds;
  if (specification.is_object() && specification.contains("evaluation")) {
    thresholds = specification.at("evaluation").value("health_thresholds", Json());
  }
  if (summary.is_object() && summary.contains("health_thresholds")) {
    thresholds = summary.at("health_thresholds");
  }
  detail_->setRun(specification, thresholds);
  auto entries = readHealth(summary);
  lights_->showChecks(entries);
  int problems = 0;
  for (const HealthEntry& entry : entries) problems += entry.isProblem();
  const int all = int(entries.size());
  count_->setText(all == 0 ? tr("this run made no checks")
                           : tr("checks: %1, problems: %2").arg(all).arg(problems));
  series_ = summary.is_object() && summary.contains("health_series") ? summary.at("health_series")
                                                                     : Json::array();
  plots_->showSeries(series_, detector_, attack_);
  fillList(std::move(entries));
}

/// The check that was chosen before stays so, and in its place; else the worst is chosen.
void HealthPanel::fillList(std::vector<HealthEntry> entries) {
  const auto nameAt = [this](int row) {
    return filter_->index(row, HealthModel::Id).data().toString();
  };
  int held = chosen_.isEmpty() ? -1 : rowOf(chosen_);
  const int top = table_->rowAt(0);
  const auto inSight = [this](int row) {
    const int y = table_->rowViewportPosition(row);
    return y >= 0 && y < table_->viewport()->height();
  };
  if (held < 0 || !inSight(held)) held = top;
  const QString anchor = held < 0 ? QString() : nameAt(held);
  const int place = held < 0 ? 0 : table_->rowViewportPosition(held);
  filling_ = true;
  if (entries != model_->entries()) model_->setEntries(std::move(entries));
  filling_ = false;
  fitTable();
  const int before = chosen_.isEmpty() ? -1 : rowOf(chosen_);
  const bool still = !fresh_;
  table_->setAutoScroll(false);
  chooseRow(before < 0 ? worstRow() : before);
  table_->setAutoScroll(true);
  if (!still) table_->scrollToTop();  // problems come first
  if (const int row = still ? rowOf(anchor) : -1; row >= 0) {
    auto* bar = table_->verticalScrollBar();
    bar->setValue(bar->value() + table_->rowViewportPosition(row) - place);
  }
  if (model_->rowCount() > 0) fresh_ = false;
}

void HealthPanel::resizeEvent(QResizeEvent* event) {
  QScrollArea::resizeEvent(event);
  table_->setColumnHidden(HealthModel::Source, viewport()->width() < kWide);
}

void HealthPanel::choose(const QString& detector, const QString& attack) {
  detector_ = detector;
  attack_ = attack;
  plots_->showSeries(series_, detector_, attack_);
}

void HealthPanel::fitTable() {
  const int header = table_->horizontalHeader()->sizeHint().height();
  const int rows = std::clamp(filter_->rowCount(), 1, kMostRows);
  table_->setFixedHeight(header + rows * table_->verticalHeader()->defaultSectionSize() + 4);
}

}  // namespace bulwark
