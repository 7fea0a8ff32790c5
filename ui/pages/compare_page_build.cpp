// The parts of the Compare page: the table of runs, what differs, the curves.
#include <QCheckBox>
#include <QComboBox>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QShortcut>
#include <QSplitter>
#include <QStackedWidget>
#include <QTableView>

#include "ui/bridge/database_service.h"
#include "ui/models/config_diff_model.h"
#include "ui/pages/compare_page.h"
#include "ui/pages/page_support.h"
#include "ui/plots/curve_plot.h"
#include "ui/shell/icons.h"
#include "ui/widgets/panel.h"

namespace bulwark {

QWidget* ComparePage::buildTable() {
  auto* panel = new Panel({}, this);
  query_ = new QLineEdit(panel);
  query_->setObjectName(QStringLiteral("compareFilter"));
  query_->setPlaceholderText(tr("Filter: words, or conditions such as  state=done  in_out>0.4"));
  query_->setAccessibleName(tr("Filter runs"));
  query_->setToolTip(
      tr("Words must occur in name, note, device or state; #12 is the run of that number. "
         "Conditions: name, state, "
         "device, seed, note, clean, in_out, duration with = < > <= >="));
  query_->setClearButtonEnabled(true);
  query_->addAction(icon(QStringLiteral("search")), QLineEdit::LeadingPosition);
  hideConstant_ = new QCheckBox(tr("&Hide constant columns"), panel);
  hideConstant_->setObjectName(QStringLiteral("compareHideConstant"));
  hideConstant_->setToolTip(tr("Leave out columns that are the same in every run"));
  hideConstant_->setChecked(true);
  const auto button = [&](const QString& text, const char* name, const QString& help) {
    auto* made = new QPushButton(text, panel);
    made->setObjectName(QLatin1String(name));
    made->setToolTip(help);
    return made;
  };
  open_ = button(tr("Open results"), "compareOpen", tr("Look at this run on the Results page"));
  use_ = button(tr("Use this configuration"), "compareUse",
                tr("Fill the Data, Train and Attack pages with this run's configuration"));
  delete_ = button(tr("Delete…"), "compareDelete", tr("Delete the selected runs (Del)"));
  auto* row = new QHBoxLayout;
  row->setSpacing(8);
  row->addWidget(query_, 1);
  row->addWidget(hideConstant_);
  row->addWidget(open_);
  row->addWidget(use_);
  row->addWidget(delete_);
  panel->body()->addLayout(row);

  table_ = new QTableView(panel);
  table_->setObjectName(QStringLiteral("compareTable"));
  table_->setAccessibleName(tr("Runs"));
  table_->setModel(filter_);
  table_->setSelectionBehavior(QAbstractItemView::SelectRows);
  table_->setSelectionMode(QAbstractItemView::ExtendedSelection);
  table_->setEditTriggers(QAbstractItemView::EditKeyPressed);
  table_->setSortingEnabled(true);
  table_->sortByColumn(RunTableModel::Created, Qt::DescendingOrder);
  table_->setAlternatingRowColors(true);
  table_->setShowGrid(false);
  table_->setWordWrap(false);
  table_->setContextMenuPolicy(Qt::CustomContextMenu);
  table_->setHorizontalScrollMode(QAbstractItemView::ScrollPerPixel);
  table_->verticalHeader()->hide();
  table_->verticalHeader()->setDefaultSectionSize(table_->fontMetrics().height() + 10);
  QHeaderView* header = table_->horizontalHeader();
  header->setHighlightSections(false);
  header->setSectionsMovable(true);
  header->setMinimumSectionSize(30);
  const int em = table_->fontMetrics().averageCharWidth();
  const int widths[] = {5, 9, 34, 13, 19, 19, 21, 15, 12, 10, 26};
  for (int i = 0; i < RunTableModel::ColumnCount; ++i) header->resizeSection(i, widths[i] * em);
  table_->viewport()->installEventFilter(this);
  panel->body()->addWidget(table_, 1);

  connect(query_, &QLineEdit::textChanged, this, [this](const QString& text) {
    filter_->setQuery(text);
    hideConstantColumns();
  });
  connect(hideConstant_, &QCheckBox::toggled, this, &ComparePage::hideConstantColumns);
  connect(open_, &QPushButton::clicked, this, [this] { openRun(table_->currentIndex()); });
  connect(use_, &QPushButton::clicked, this, &ComparePage::useConfiguration);
  connect(delete_, &QPushButton::clicked, this, &ComparePage::deleteSelected);
  connect(table_, &QTableView::doubleClicked, this, &ComparePage::openRun);
  connect(table_, &QTableView::clicked, this, [this](const QModelIndex& index) {
    if (index.column() == RunTableModel::Pin) togglePin(index);
  });
  connect(table_, &QWidget::customContextMenuRequested, this, &ComparePage::showMenu);
  connect(table_->selectionModel(), &QItemSelectionModel::selectionChanged, this,
          &ComparePage::selectionChanged);
  connect(filter_, &QAbstractItemModel::modelReset, this, &ComparePage::selectionChanged);
  connect(model_, &RunTableModel::edited, this,
          [this](qint64 run, int column, const QString& text) {
            context_.database->run(
                this,
                [run, column, value = text.toStdString()](RunStore& store) {
                  if (column == RunTableModel::Name) {
                    store.setRunName(run, value);
                  } else {
                    store.setRunNote(run, value);
                  }
                },
                [this] { compareLater_.start(); });
          });
  for (const auto key : {Qt::Key_Return, Qt::Key_Enter}) {
    auto* enter = new QShortcut(key, table_);
    enter->setContext(Qt::WidgetShortcut);
    connect(enter, &QShortcut::activated, this, [this] { openRun(table_->currentIndex()); });
  }
  auto* remove = new QShortcut(QKeySequence::Delete, table_);
  remove->setContext(Qt::WidgetShortcut);
  connect(remove, &QShortcut::activated, this, &ComparePage::deleteSelected);
  return panel;
}

QWidget* ComparePage::buildDetails() {
  auto* left = new Panel(tr("What differs"), this);
  diffTable_ = new QTableView(left);
  diffTable_->setObjectName(QStringLiteral("compareDiff"));
  diffTable_->setAccessibleName(tr("Differences of the configurations"));
  diffTable_->setModel(diff_);
  diffTable_->setEditTriggers(QAbstractItemView::NoEditTriggers);
  diffTable_->setAlternatingRowColors(true);
  diffTable_->setShowGrid(false);
  diffTable_->setWordWrap(true);
  diffTable_->setHorizontalScrollMode(QAbstractItemView::ScrollPerPixel);
  diffTable_->verticalHeader()->hide();
  diffTable_->verticalHeader()->setMinimumSectionSize(diffTable_->fontMetrics().height() + 8);
  diffTable_->horizontalHeader()->setHighlightSections(false);
  diffTable_->horizontalHeader()->setTextElideMode(Qt::ElideRight);
  diffTable_->viewport()->installEventFilter(this);
  diffText_ = roleLabel({}, "muted", left);
  diffText_->setObjectName(QStringLiteral("compareDiffText"));
  diffText_->setAlignment(Qt::AlignCenter);
  diffText_->setWordWrap(true);
  diffStack_ = new QStackedWidget(left);
  diffStack_->addWidget(diffText_);
  diffStack_->addWidget(diffTable_);
  left->body()->addWidget(diffStack_, 1);

  auto* right = new Panel({}, this);
  roc_ = new RocPlot(right);
  roc_->setObjectName(QStringLiteral("compareRoc"));
  roc_->setTitle(tr("ROC of the selected runs"));
  roc_->setFileStem(QStringLiteral("roc-compare"));
  roc_->setEmptyText(tr("Select finished runs above to lay their ROC curves over each other"));
  connectPlot(roc_, context_);
  auto* selectors = new QHBoxLayout;
  selectors->setSpacing(8);
  const auto selector = [&](const QString& title, const char* name, const QString& help) {
    auto* box = new QComboBox(right);
    box->setObjectName(QLatin1String(name));
    box->setToolTip(help);
    box->setMinimumContentsLength(5);
    box->setSizeAdjustPolicy(QComboBox::AdjustToContents);
    box->setSizePolicy(QSizePolicy::Preferred, QSizePolicy::Fixed);
    QLabel* label = fieldLabel(title, box, right);
    label->setObjectName(QLatin1String(name) + QStringLiteral("Label"));
    selectors->addWidget(label);
    selectors->addWidget(box, 1);
    connect(box, &QComboBox::currentIndexChanged, this, &ComparePage::loadCurves);
    return box;
  };
  detector_ = selector(tr("Detector"), "compareDetector", tr("Whose curves are compared"));
  setting_ = selector(tr("Setting"), "compareSetting", tr("Which of the sets are attacked"));
  attack_ = selector(tr("Attack"), "compareAttack", tr("By which attack"));
  out_ = selector(tr("Out"), "compareOut", tr("Against which out set"));
  right->body()->addLayout(selectors);
  right->body()->addWidget(roc_, 1);

  auto* split = new QSplitter(Qt::Horizontal, this);
  split->setObjectName(QStringLiteral("compareDetailSplit"));
  split->setChildrenCollapsible(false);
  split->setHandleWidth(8);
  split->addWidget(left);
  split->addWidget(right);
  split->setSizes({550, 490});
  return split;
}

}  // namespace bulwark
