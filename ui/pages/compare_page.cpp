#include "ui/pages/compare_page.h"

#include <QCheckBox>
#include <QComboBox>
#include <QEvent>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QLabel>
#include <QLineEdit>
#include <QLocale>
#include <QMenu>
#include <QPushButton>
#include <QSet>
#include <QSplitter>
#include <QStackedWidget>
#include <QTableView>
#include <algorithm>
#include <limits>

#include "ui/bridge/database_service.h"
#include "ui/bridge/detector_view.h"
#include "ui/bridge/dialogs.h"
#include "ui/bridge/experiment_draft.h"
#include "ui/bridge/navigator.h"
#include "ui/bridge/run_focus.h"
#include "ui/models/config_diff_model.h"
#include "ui/pages/page_support.h"
#include "ui/plots/curve_plot.h"
#include "ui/widgets/panel.h"

namespace bulwark {

namespace {

constexpr int kReloadDelay = 1000;  // ms
constexpr std::size_t kBestBatch = 40;

// What the selectors offer for the selected runs.
struct Comparison {
  ConfigurationDiff diff;
  QStringList detectors, attacks, settings, outs;
};

void note(QStringList& list, const std::string& text) {
  const QString value = QString::fromStdString(text);
  if (!list.contains(value)) list += value;
}

Comparison loadComparisonOf(const RunStore& store, const std::vector<qint64>& runs,
                            const AppContext& context) {
  Comparison result;
  std::vector<NamedConfiguration> configurations;
  for (const qint64 id : runs) {
    const auto run = store.findRun(id);
    if (!run) continue;
    configurations.push_back({QString::fromStdString(run->name), run->specification, id});
    for (const ResultRow& row : store.results(id)) {
      note(result.detectors, row.detector);
      note(result.settings, row.setting);
      note(result.outs, row.out);
      if (!row.attack.empty()) note(result.attacks, row.attack);
    }
  }
  if (context.registries && context.catalogue) {
    configurations = completed(std::move(configurations), *context.registries, *context.catalogue);
  }
  result.diff = diffConfigurations(configurations);
  return result;
}

}  // namespace

ComparePage::ComparePage(const AppContext& context, QWidget* parent)
    : QWidget(parent), context_(context) {
  setObjectName(QStringLiteral("comparePage"));
  model_ = new RunTableModel(this);
  filter_ = new RunFilter(this);
  filter_->setSourceModel(model_);
  diff_ = new ConfigDiffModel(this);

  auto* content = new QWidget(this);
  auto* split = new QSplitter(Qt::Vertical, content);
  split->setObjectName(QStringLiteral("compareSplit"));
  split->setChildrenCollapsible(false);
  split->setHandleWidth(8);
  split->addWidget(buildTable());
  split->addWidget(buildDetails());
  split->setSizes({520, 480});
  // Few runs need little room: what is left belongs to what is made of them.
  split_ = split;
  connect(filter_, &QAbstractItemModel::modelReset, this, &ComparePage::fitRuns);
  connect(split, &QSplitter::splitterMoved, this, [this] { moved_ = true; });
  auto* column = new QVBoxLayout(content);
  column->setContentsMargins(16, 12, 16, 12);
  column->setSpacing(8);
  auto* top = new QHBoxLayout;
  top->setSpacing(12);
  count_ = roleLabel({}, "muted", content);
  count_->setObjectName(QStringLiteral("compareCount"));
  top->addWidget(pageTitle(tr("Compare"), content));
  top->addWidget(count_, 1, Qt::AlignBottom);
  column->addLayout(top);
  column->addWidget(split, 1);

  empty_ = new EmptyState(QStringLiteral("compare"), tr("No runs yet"),
                          tr("Every experiment you run is listed here, to be filtered, pinned and "
                             "compared: what differs in the configurations, and the ROC curves of "
                             "several runs in one plot."),
                          tr("Start with the data"), this);
  connect(empty_, &EmptyState::actionTriggered, this, [this] {
    if (context_.navigator) context_.navigator->showPage(PageId::Data);
  });
  stack_ = fillPage(this, empty_, content);

  reloadLater_.setSingleShot(true);
  reloadLater_.setInterval(kReloadDelay);
  connect(&reloadLater_, &QTimer::timeout, this, &ComparePage::reload);
  connect(context_.database, &DatabaseService::changed, this, [this] {
    if (!reloadLater_.isActive()) reloadLater_.start();
  });
  connect(context_.database, &DatabaseService::opened, this, [this] {
    loadingBest_ = false;
    reload();
  });
  compareLater_.setSingleShot(true);
  compareLater_.setInterval(60);
  connect(&compareLater_, &QTimer::timeout, this, &ComparePage::loadComparison);
  selectionChanged();
  if (context_.database->isOpen()) reload();
}

void ComparePage::reload() {
  reloadLater_.stop();
  const quint64 request = ++listRequest_;
  context_.database->run(
      this,
      [](RunStore& store) {
        std::vector<RunRow> rows;
        for (const RunRecord& run : store.runs(true)) rows.push_back(runRow(run));
        return rows;
      },
      [this, request](std::vector<RunRow> rows) {
        if (request != listRequest_) return;
        const std::vector<qint64> selected = selectedRuns();
        const QStringList names = namesOf(selected);
        stack_->setCurrentIndex(rows.empty() ? 0 : 1);
        model_->setRuns(std::move(rows));
        if (selectedRuns() != selected) {
          selectRuns(selected);
        } else if (namesOf(selected) != names) {
          compareLater_.start();  // legend and columns have the names
        }
        if (!started_) selectFirst();
        hideConstantColumns();
        loadBest();
        Q_EMIT listed();
      });
}

// The page starts with something to see: the run that is looked at, and the newest other one.
void ComparePage::selectFirst() {
  started_ = filter_->rowCount() > 0;
  std::vector<qint64> runs;
  if (context_.focus->run() != 0) runs.push_back(context_.focus->run());
  for (int row = 0; row < filter_->rowCount() && runs.size() < 2; ++row) {
    const RunRow& run = filter_->run(filter_->index(row, 0));
    if (run.state == RunState::Done && run.id != context_.focus->run()) runs.push_back(run.id);
  }
  if (selectedRuns().empty()) selectRuns(runs);
}

// A few runs at a time, so that other questions to the database are answered in between.
void ComparePage::loadBest() {
  if (loadingBest_) return;
  const auto wanted = model_->wantingBest(kBestBatch);
  if (wanted.empty()) return;
  loadingBest_ = true;
  context_.database->run(
      this,
      [wanted](RunStore& store) {
        std::vector<BestAuroc> found;
        for (const auto& [run, stamp] : wanted) {
          const auto record = store.findRun(run);
          found.push_back(bestAuroc(store.results(run), record ? record->summary : Json()));
        }
        return found;
      },
      [this, wanted](const std::vector<BestAuroc>& found) {
        loadingBest_ = false;
        for (std::size_t i = 0; i < wanted.size(); ++i) {
          model_->setBest(wanted[i].first, wanted[i].second, found[i]);
        }
        if (model_->wantingBest(1).empty()) hideConstantColumns();
        loadBest();
      },
      [this](const Error&) { loadingBest_ = false; });
}

void ComparePage::hideConstantColumns() {
  const int rows = filter_->rowCount();
  for (int column = RunTableModel::State; column < RunTableModel::ColumnCount; ++column) {
    bool constant = hideConstant_->isChecked() && rows > 1;
    const QString first = constant ? filter_->index(0, column).data().toString() : QString();
    for (int row = 1; constant && row < rows; ++row) {
      constant = filter_->index(row, column).data().toString() == first;
    }
    table_->setColumnHidden(column, constant);
  }
  fitName();
  const QString all = QLocale().toString(model_->rowCount());
  if (rows != model_->rowCount()) {
    count_->setText(tr("%1 of %2 runs").arg(QLocale().toString(rows), all));
  } else {
    count_->setText(rows == 1 ? tr("1 run") : tr("%1 runs").arg(all));
  }
}

std::vector<qint64> ComparePage::selectedRuns() const {
  std::vector<qint64> runs;
  QModelIndexList rows = table_->selectionModel()->selectedRows(RunTableModel::Name);
  std::sort(rows.begin(), rows.end(),
            [](const QModelIndex& a, const QModelIndex& b) { return a.row() < b.row(); });
  for (const QModelIndex& index : rows) runs.push_back(filter_->run(index).id);
  return runs;
}

void ComparePage::selectRuns(const std::vector<qint64>& runs) {
  QItemSelection selection;
  QModelIndex first;
  for (const qint64 run : runs) {
    const int row = model_->rowOf(run);
    if (row < 0) continue;
    const QModelIndex index = filter_->mapFromSource(model_->index(row, RunTableModel::Name));
    if (!index.isValid()) continue;
    if (!first.isValid()) first = index;
    selection.select(index, index);
  }
  if (first.isValid()) {
    table_->selectionModel()->setCurrentIndex(first, QItemSelectionModel::NoUpdate);
  }
  table_->selectionModel()->select(selection,
                                   QItemSelectionModel::ClearAndSelect | QItemSelectionModel::Rows);
}

QStringList ComparePage::namesOf(const std::vector<qint64>& runs) const {
  QStringList names;
  for (const qint64 run : runs) {
    const int row = model_->rowOf(run);
    names += row < 0 ? QString() : model_->run(row).name;
  }
  return names;
}

void ComparePage::updateActions() {
  const auto selected = table_->selectionModel()->selectedRows().size();
  open_->setEnabled(selected == 1);
  use_->setEnabled(selected == 1);
  delete_->setEnabled(selected > 0);
}

void ComparePage::selectionChanged() {
  updateActions();
  compareLater_.start();
}

void ComparePage::loadComparison() {
  const quint64 request = ++compareRequest_;
  ++curveRequest_;
  const std::vector<qint64> runs = selectedRuns();
  if (runs.empty()) {
    diff_->setDiff({});
    diffText_->setText(tr("Select two or more runs to see in what they differ"));
    diffStack_->setCurrentIndex(0);
    roc_->setCurves({});
    Q_EMIT compared();
    return;
  }
  context_.database->run(
      this,
      [runs, context = context_](RunStore& store) {
        return loadComparisonOf(store, runs, context);
      },
      [this, request, runs](const Comparison& comparison) {
        if (request != compareRequest_) return;
        diff_->setDiff(comparison.diff);
        diffText_->setText(runs.size() < 2
                               ? tr("Select two or more runs to see in what they differ")
                               : tr("The configurations of these runs are the same"));
        diffStack_->setCurrentIndex(diff_->rowCount() > 0 ? 1 : 0);
        fitDiffColumns();
        fillChoices(detector_, comparison.detectors, comparison.detectors);
        fillChoices(setting_, comparison.settings, comparison.settings);
        fillChoices(attack_, comparison.attacks, comparison.attacks);
        fillChoices(out_, comparison.outs, comparison.outs);
        const bool choice = comparison.attacks.size() > 1;
        attack_->setVisible(choice);
        findChild<QLabel*>(QStringLiteral("compareAttackLabel"))->setVisible(choice);
        loadCurves();
      });
}

bool ComparePage::eventFilter(QObject* watched, QEvent* event) {
  if (event->type() == QEvent::Resize) {
    if (watched == table_->viewport()) {
      fitName();
    } else {
      fitDiffColumns();
    }
  }
  return QWidget::eventFilter(watched, event);
}

// The name takes what the others leave, but it never gives way altogether.
void ComparePage::fitName() {
  int others = 0;
  for (int column = 0; column < RunTableModel::ColumnCount; ++column) {
    if (column != RunTableModel::Name) others += table_->columnWidth(column);  // hidden: 0
  }
  const int least = 24 * table_->fontMetrics().averageCharWidth();
  table_->setColumnWidth(RunTableModel::Name,
                         std::max(least, table_->viewport()->width() - others));
}

// Every column takes what its values need, within reason; a run's name, which its tooltip has in
// full, gives way before the second run would be out of sight. Long values go on in further lines.
void ComparePage::fitDiffColumns() {
  const int columns = diff_->columnCount();
  if (columns < 2) return;
  const QAbstractItemView* view = diffTable_;  // where the hint is public
  const int all = diffTable_->viewport()->width();
  const int least = std::max(72, all / (columns + 1));
  int spare = all;
  std::vector<int> widths;
  for (int column = 0; column < columns; ++column) {
    widths.push_back(std::clamp(view->sizeHintForColumn(column) + 8, 72, 260));
    spare -= widths.back();
  }
  for (auto width = widths.rbegin(); width != widths.rend() && spare < 0; ++width) {
    const int given = std::min(-spare, std::max(0, *width - least));  // the option's name last
    *width -= given;
    spare += given;
  }
  for (int column = 0; column < columns; ++column) {
    const int more = column > 0 && spare > 0 ? spare / (columns - 1) : 0;
    diffTable_->setColumnWidth(column, widths[std::size_t(column)] + more);
  }
  diffTable_->resizeRowsToContents();
}

void ComparePage::loadCurves() {
  const quint64 request = ++curveRequest_;
  const std::vector<qint64> selected = selectedRuns();
  const QStringList names = runTitles(selected, namesOf(selected));
  std::vector<std::pair<qint64, QString>> runs;
  for (std::size_t i = 0; i < selected.size(); ++i) {
    runs.emplace_back(selected[i], names[qsizetype(i)]);
  }
  const std::string setting = setting_->currentData().toString().toStdString();
  attack_->setEnabled(setting != "clean");
  const std::string detector = detector_->currentData().toString().toStdString();
  const std::string attack = attack_->currentData().toString().toStdString();
  const std::string out = out_->currentData().toString().toStdString();
  context_.database->run(
      this,
      [=](RunStore& store) {
        QVector<ThresholdCurve> curves;
        for (const auto& [id, name] : runs) {
          ThresholdCurve curve = loadRoc(store, id, detector, attack, setting, out);
          curve.name = name;
          if (!curve.x.empty()) curves.append(std::move(curve));
        }
        return curves;
      },
      [this, request](const QVector<ThresholdCurve>& curves) {
        if (request != curveRequest_) return;
        roc_->setCurves(curves);
        Q_EMIT compared();
      });
}

void ComparePage::openRun(const QModelIndex& index) {
  if (!index.isValid() || index.column() == RunTableModel::Pin) return;
  context_.focus->setRun(filter_->run(index).id);
  if (context_.navigator) context_.navigator->showPage(PageId::Results);
}

void ComparePage::togglePin(const QModelIndex& index) {
  const RunRow& run = filter_->run(index);
  context_.database->run(
      this,
      [id = run.id, pinned = !run.pinned](RunStore& store) { store.setRunPinned(id, pinned); },
      [this] { reload(); });
}

void ComparePage::deleteSelected() {
  const std::vector<qint64> runs = selectedRuns();
  if (runs.empty()) return;
  const QString name = model_->run(model_->rowOf(runs[0])).name;
  const QString question =
      runs.size() == 1
          ? tr("Delete \"%1\" with its results, images and checkpoints? This cannot be undone.")
                .arg(name)
          : tr("Delete %1 runs with their results, images and checkpoints? This cannot be undone.")
                .arg(runs.size());
  if (context_.dialogs->question(this, tr("Delete runs"), question, {tr("Delete"), tr("Keep")}) !=
      0) {
    return;
  }
  context_.database->run(
      this,
      [runs](RunStore& store) {
        for (const qint64 run : runs) store.deleteRun(run);
      },
      [this, runs] {
        if (std::find(runs.begin(), runs.end(), context_.focus->run()) != runs.end()) {
          context_.focus->setRun(0);
        }
        reload();
      },
      [this](const Error& error) {
        context_.dialogs->message(this, tr("Not deleted"), QString::fromStdString(error.what()));
        reload();
      });
}

void ComparePage::useConfiguration() {
  const std::vector<qint64> runs = selectedRuns();
  if (runs.size() != 1) return;
  context_.database->run(
      this, [id = runs[0]](RunStore& store) { return store.run(id).specification; },
      [this](const Json& specification) {
        if (context_.draft) context_.draft->load(specification);
        Q_EMIT configurationChosen(specification);
        if (context_.navigator) context_.navigator->showPage(PageId::Train);
      });
}

void ComparePage::showMenu(const QPoint& at) {
  const QModelIndex index = table_->indexAt(at);
  if (!index.isValid()) return;
  QMenu menu(table_);
  const auto edit = [&](int column) { table_->edit(index.siblingAtColumn(column)); };
  menu.addAction(tr("Open results"), this, [&] { openRun(index.siblingAtColumn(1)); });
  menu.addAction(tr("Use this configuration"), this, &ComparePage::useConfiguration)
      ->setEnabled(use_->isEnabled());
  menu.addSeparator();
  menu.addAction(filter_->run(index).pinned ? tr("Unpin") : tr("Pin"), this,
                 [&] { togglePin(index); });
  menu.addAction(tr("Rename"), this, [&] { edit(RunTableModel::Name); });
  menu.addAction(tr("Edit note"), this, [&] {
    table_->setColumnHidden(RunTableModel::Note, false);
    edit(RunTableModel::Note);
  });
  menu.addSeparator();
  menu.addAction(tr("Delete…"), this, &ComparePage::deleteSelected);
  menu.exec(table_->viewport()->mapToGlobal(at));
}

void ComparePage::fitRuns() {
  const int all = split_->height();
  if (moved_ || !isVisible() || all <= 0) return;
  const int rows = std::clamp(filter_->rowCount(), 4, 40) + 1;
  const int row = table_->verticalHeader()->defaultSectionSize();
  const int top = std::min(rows * row + table_->horizontalHeader()->height() + 64, all / 2);
  split_->setSizes({top, all - top});
}

void ComparePage::showEvent(QShowEvent* event) {
  QWidget::showEvent(event);
  QTimer::singleShot(0, this, &ComparePage::fitRuns);  // once it has its size
}

}  // namespace bulwark
