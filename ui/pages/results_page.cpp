#include "ui/pages/results_page.h"

#include <QButtonGroup>
#include <QCheckBox>
#include <QComboBox>
#include <QHeaderView>
#include <QLocale>
#include <QSignalBlocker>
#include <QStackedWidget>
#include <QTableView>
#include <QVBoxLayout>

#include "core/experiment/class_map_file.h"
#include "ui/bridge/artefact_set.h"
#include "ui/bridge/database_service.h"
#include "ui/bridge/health_cost.h"
#include "ui/bridge/navigator.h"
#include "ui/bridge/run_focus.h"
#include "ui/bridge/selection_hub.h"
#include "ui/models/result_table_model.h"
#include "ui/models/threshold_model.h"
#include "ui/pages/class_map_panel.h"
#include "ui/pages/page_support.h"
#include "ui/plots/curve_plot.h"
#include "ui/plots/curve_switch.h"
#include "ui/plots/histogram_plot.h"
#include "ui/plots/score_switch.h"
#include "ui/widgets/elided_label.h"
#include "ui/widgets/health_label.h"
#include "ui/widgets/health_panel.h"
#include "ui/widgets/panel.h"
#include "ui/widgets/view_grid.h"

namespace bulwark {

namespace {

constexpr int kReloadDelay = 400;  // ms; a running job changes the database all the time

bool same(const std::vector<ResultRow>& a, const std::vector<ResultRow>& b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i].detector != b[i].detector || a[i].attack != b[i].attack ||
        a[i].setting != b[i].setting || a[i].out != b[i].out || a[i].auroc != b[i].auroc ||
        a[i].nIn != b[i].nIn || a[i].ciLow != b[i].ciLow) {
      return false;
    }
  }
  return true;
}

QString percent(const Json& share) {
  return QLocale().toString(100 * share.get<double>(), 'f', 1) + QStringLiteral(" %");
}

}  // namespace

ResultsPage::ResultsPage(const AppContext& context, QWidget* parent)
    : QWidget(parent), context_(context), thresholds_(new ThresholdModel(this)) {
  setObjectName(QStringLiteral("resultsPage"));
  auto* content = new QWidget(this);
  auto* column = new QVBoxLayout(content);
  column->setContentsMargins(16, 12, 16, 12);
  column->setSpacing(8);
  column->addWidget(buildHeader());
  auto* figures = new QWidget(content);
  auto* inside = new QVBoxLayout(figures);
  inside->setContentsMargins(0, 0, 0, 0);
  inside->setSpacing(8);
  inside->addWidget(buildViews(), 1);
  auto* bar = new ThresholdBar(thresholds_, figures);
  inside->addWidget(bar);
  parts_ = new QStackedWidget(content);
  parts_->setObjectName(QStringLiteral("resultsParts"));
  parts_->addWidget(figures);
  column->addWidget(parts_, 1);
  buildClasses();
  buildHealth();

  empty_ = new EmptyState(QStringLiteral("results"), {}, {}, tr("Choose a run"), this);
  connect(empty_, &EmptyState::actionTriggered, this, [this] {
    if (context_.navigator) context_.navigator->showPage(PageId::Compare);
  });
  stack_ = fillPage(this, empty_, content);

  connect(bar, &ThresholdBar::cellPicked, this, &ResultsPage::pickCell);
  connect(thresholds_, &ThresholdModel::thresholdChanged, this, [this](double threshold) {
    histogram_->setThreshold(threshold);
    scores_->scatter()->setThreshold(threshold);
    roc_->setThreshold(threshold);
    pr_->setThreshold(threshold);
  });
  connect(context_.selection, &SelectionHub::changed, this, &ResultsPage::showSelection);
  connect(context_.focus, &RunFocus::runChanged, this, [this] {
    context_.selection->reset();
    reload();
  });
  connect(context_.focus, &RunFocus::detectorChanged, this, [this](const QString& detector) {
    if (const int at = detector_->findData(detector); at >= 0) detector_->setCurrentIndex(at);
  });
  reloadLater_.setSingleShot(true);
  reloadLater_.setInterval(kReloadDelay);
  connect(&reloadLater_, &QTimer::timeout, this, &ResultsPage::reload);
  connect(context_.focus, &RunFocus::contentChanged, this, [this] {
    if (!reloadLater_.isActive()) reloadLater_.start();
  });
  showEmpty({});
  reload();
}

void ResultsPage::reload() {
  reloadLater_.stop();
  const quint64 request = ++runRequest_;
  const qint64 run = context_.focus->run();
  if (run == 0) {
    shownRun_ = 0;
    showEmpty({});
    return;
  }
  struct Loaded {
    std::optional<RunRecord> run;
    std::vector<ResultRow> rows;
    std::vector<CurveRecord> trends;
    QString cost;
    bool classes = false;
  };
  const bool known = shownRun_ == run && !healthCost_.isEmpty();
  context_.database->run(
      this,
      [run, known, cost = healthCost_](RunStore& store) {
        Loaded loaded{store.findRun(run), store.results(run), loadTrends(store, run), cost};
        loaded.classes = loaded.run && hasDetector(loaded.run->specification, {"svdd"});
        for (const ArtefactRecord& artefact : store.artefacts(run)) {
          loaded.classes = loaded.classes || artefact.kind == ClassMap::kind;
        }
        if (!known && loaded.run) loaded.cost = healthCost(store, *loaded.run);
        return loaded;
      },
      [this, request](Loaded loaded) {
        if (request != runRequest_) return;
        trends_ = std::move(loaded.trends);
        healthCost_ = loaded.cost;
        classesApply_ = loaded.classes;
        showRun(std::move(loaded.run), loaded.rows);
      });
}

void ResultsPage::showEmpty(const std::optional<RunRecord>& run) {
  ++viewRequest_;
  rows_.clear();
  model_->setRows({});
  thresholds_->clear();
  if (!run) {
    empty_->setText(tr("No run to show"),
                    tr("Score histograms, ROC and precision-recall curves and the AUROC table of a "
                       "run appear here. Choose a run on the Compare page, or start one on the "
                       "Attack page."));
  } else if (run->state == RunState::Failed) {
    empty_->setText(tr("\"%1\" failed").arg(QString::fromStdString(run->name)),
                    QString::fromStdString(run->error));
  } else {
    empty_->setText(tr("\"%1\" has no results yet").arg(QString::fromStdString(run->name)),
                    tr("The run is %1. Its results appear here by themselves.")
                        .arg(QString::fromStdString(toString(run->state))));
  }
  stack_->setCurrentIndex(0);
}

void ResultsPage::showRun(std::optional<RunRecord> run, const std::vector<ResultRow>& rows) {
  if (!run || rows.empty()) {
    showEmpty(run);
    return;
  }
  runName_->setFullText(QString::fromStdString(run->name));
  summary_ = run->summary;
  specification_ = run->specification;
  const bool known = shownRun_ == run->id && same(rows, rows_);
  shownRun_ = run->id;
  stack_->setCurrentIndex(1);
  showAccuracy();
  switch_->button(Classes)->setVisible(classesApply_);
  if (part() == Classes && !classesApply_) showPart(Figures);
  classes_->setRun(run->id);
  healthPanel_->setRun(run->id, context_.database->path(), healthCost_);
  healthPanel_->showSummary(summary_, run->specification);
  model_->setHealth(readHealth(summary_));
  if (known) {
    health_->showChecks(summary_, specification_, *model_);
    showTrends();
    showOwnThreshold();
    return;
  }
  rows_ = rows;
  model_->setRows(rows);
  QStringList attacks;
  for (const ResultLine& line : model_->lines()) {
    if (!attacks.contains(line.attack)) attacks += line.attack;
  }
  table_->setColumnHidden(ResultTableModel::Attack, attacks.size() < 2);
  table_->resizeRowsToContents();
  health_->showChecks(summary_, specification_, *model_);
  fillSelectors();
  loadDetector();
}

// Clean and under the chosen attack, if the run mounted it on the classifier itself; the tooltip
// names them all, of which there may be more than a window is wide.
void ResultsPage::showAccuracy() {
  const bool known = summary_.is_object() && summary_.contains("accuracy_clean") &&
                     summary_.at("accuracy_clean").is_number();
  accuracy_->setVisible(known);
  if (!known) return;
  const QString clean = percent(summary_.at("accuracy_clean"));
  QString text = tr("Classifier accuracy %1").arg(clean);
  const QString rows = QStringLiteral("<tr><td>%1</td><td align='right'>&nbsp;&nbsp;%2</td></tr>");
  QString all = rows.arg(tr("clean"), clean);
  const QString chosen = attack_->currentData().toString();
  const Json attacked = summary_.value("accuracy_attacked", Json::object());
  if (attacked.is_object()) {
    for (const auto& [attack, share] : attacked.items()) {
      if (!share.is_number()) continue;
      const QString name = QString::fromStdString(attack);
      all += rows.arg(name.toHtmlEscaped(), percent(share));
      if (name == chosen) text += tr(", %1 under %2").arg(percent(share), name);
    }
  }
  accuracy_->setFullText(text);
  accuracy_->setDetails(
      QStringLiteral("<p>%1</p><table>%2</table>")
          .arg(tr("Share of the in set's test images that the classifier gets right, and what an "
                  "attack on the classifier leaves of it"),
               all));
}

// The summary, which tells it, may come after the scores.
void ResultsPage::showOwnThreshold() {
  const QString detector = detector_->currentData().toString();
  scores_->setDetector(typeOfDetector(specification_, detector) == QLatin1String("attractor"),
                       ownThreshold(summary_, detector));
}

void ResultsPage::showTrends() {
  curves_->setCurves(trends_, attack_->currentData().toString(), out_->currentData().toString());
  curves_->setLayers(readLayerSearches(summary_));
  curves_->setWeights(rows_, detector_->currentData().toString(), attack_->currentData().toString(),
                      out_->currentData().toString());
}

void ResultsPage::fillSelectors() {
  QStringList detectors, attacks, outs;
  for (const ResultLine& line : model_->lines()) {
    if (!detectors.contains(line.detector)) detectors += line.detector;
    if (!attacks.contains(line.attack)) attacks += line.attack;
    if (!outs.contains(line.out)) outs += line.out;
  }
  QStringList attackTexts = attacks;
  for (QString& text : attackTexts) {
    if (text.isEmpty()) text = tr("none");
  }
  fillChoices(detector_, detectors, detectors);
  fillChoices(attack_, attackTexts, attacks);
  fillChoices(out_, outs, outs);
  attack_->setEnabled(attacks.size() > 1 && part() != Classes);
}

void ResultsPage::loadDetector() {
  const quint64 request = ++viewRequest_;
  const qint64 run = shownRun_;
  const std::string detector = detector_->currentData().toString().toStdString();
  const std::string attack = attack_->currentData().toString().toStdString();
  const std::string out = out_->currentData().toString().toStdString();
  context_.focus->setDetector(detector_->currentData().toString());
  showTrends();
  showAccuracy();
  classes_->choose(detector_->currentData().toString(), out_->currentData().toString());
  healthPanel_->choose(detector_->currentData().toString(), attack_->currentData().toString());
  const int line = model_->find(detector_->currentData().toString(), out_->currentData().toString(),
                                attack_->currentData().toString());
  if (line >= 0 && table_->currentIndex().row() != line) {
    const QSignalBlocker quiet(table_->selectionModel());
    table_->setCurrentIndex(model_->index(line, std::max(0, table_->currentIndex().column())));
    // With its signals the selection model also keeps the view from bringing the row into sight.
    table_->scrollTo(model_->index(line, table_->horizontalHeader()->logicalIndexAt(0)));
    table_->viewport()->update();
  }
  context_.database->run(
      this, [=](RunStore& store) { return loadDetectorView(store, run, detector, attack, out); },
      [this, request](DetectorView view) {
        if (request == viewRequest_) showDetector(std::move(view));
      });
}

void ResultsPage::showDetector(DetectorView view) {
  view_ = std::move(view);
  const QString stem = QStringLiteral("%1-%2").arg(QString::fromStdString(view_.detector),
                                                   QString::fromStdString(view_.out));
  histogram_->setFileStem(QStringLiteral("histogram-") + stem);
  roc_->setFileStem(QStringLiteral("roc-") + stem);
  pr_->setFileStem(QStringLiteral("pr-") + stem);
  scores_->scatter()->setFileStem(QStringLiteral("scatter-") + stem);
  showOwnThreshold();
  scores_->setSeries(view_.histogram, attack_->currentText());
  roc_->setCurves(view_.roc);
  pr_->setCurves(view_.pr);
  pr_->setChance(view_.outShare);
  healthPanel_->plots()->setFallback(HealthPlots::BestScore, view_.paths);
  thresholds_->setScores(shownRun_, QString::fromStdString(view_.detector), view_.scores);
  showSelection();
  Q_EMIT shown();
}

void ResultsPage::pickLine(const QModelIndex& index) {
  if (!index.isValid()) return;
  const ResultLine& line = model_->lines()[std::size_t(index.row())];
  const auto choose = [](QComboBox* box, const QString& value) {
    const QSignalBlocker quiet(box);
    box->setCurrentIndex(box->findData(value));
  };
  choose(detector_, line.detector);
  choose(attack_, line.attack);
  choose(out_, line.out);
  loadDetector();
}

void ResultsPage::pickCell(ThresholdBar::Cell cell, bool attacked,
                           Qt::KeyboardModifiers modifiers) {
  if (!thresholds_->threshold()) return;
  const double threshold = *thresholds_->threshold();
  const bool wantOut = cell == ThresholdBar::OutFlagged || cell == ThresholdBar::OutMissed;
  const bool flagged = cell == ThresholdBar::OutFlagged || cell == ThresholdBar::InFlagged;
  SampleSet samples;
  for (const HistogramSeries& series : view_.histogram) {
    if (series.attacked != attacked || series.side.out != wantOut) continue;
    for (std::size_t i = 0; i < series.scores.size(); ++i) {
      if ((series.scores[i] > threshold) == flagged) samples.insert(series.side, qint64(i));
    }
  }
  context_.selection->commit(samples, tr("Select by threshold"), SelectionHub::modeFor(modifiers));
}

// A click moves the threshold; with Shift or Alt, the samples that would change sides on the way
// there join or leave the selection.
void ResultsPage::pickBetween(int curve, double threshold, Qt::KeyboardModifiers modifiers) {
  if (!(modifiers & (Qt::ShiftModifier | Qt::AltModifier)) || !thresholds_->threshold()) {
    thresholds_->setThreshold(threshold);
    return;
  }
  const QString setting = view_.roc.value(curve).name;
  const double low = std::min(threshold, *thresholds_->threshold());
  const double high = std::max(threshold, *thresholds_->threshold());
  SampleSet samples;
  for (const HistogramSeries& series : view_.histogram) {
    const QString side = series.side.out ? QStringLiteral("out") : QStringLiteral("in");
    const bool attacked = setting == QLatin1String("in_out") || setting == side;
    if (series.attacked != attacked) continue;
    for (std::size_t i = 0; i < series.scores.size(); ++i) {
      if (series.scores[i] > low && series.scores[i] <= high) {
        samples.insert(series.side, qint64(i));
      }
    }
  }
  context_.selection->commit(samples, tr("Select on the curve"), SelectionHub::modeFor(modifiers));
}

void ResultsPage::showSelection() {
  const SampleSet& selected = context_.selection->current();
  selection_->setFullText(context_.selection->statusText());
  selection_->setVisible(!selected.empty());
  histogram_->setSelection(selected);
  scores_->scatter()->setSelection(selected);
  std::vector<double> scores;
  for (const HistogramSeries& series : view_.histogram) {
    const auto found = selected.sides().find(series.side);
    if (series.attacked || found == selected.sides().end()) continue;
    for (const qint64 sample : found->second) {
      if (std::size_t(sample) < series.scores.size()) {
        scores.push_back(series.scores[std::size_t(sample)]);
      }
    }
  }
  roc_->setMarkedScores(scores);
  pr_->setMarkedScores(scores);
}

}  // namespace bulwark
