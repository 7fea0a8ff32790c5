// The parts of the Data page: the list of sets, one set in detail, the experiment.
#include <QCheckBox>
#include <QComboBox>
#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QListView>
#include <QProgressBar>
#include <QPushButton>
#include <QScrollArea>
#include <QShortcut>
#include <QVBoxLayout>

#include "core/base/files.h"
#include "ui/bridge/dialogs.h"
#include "ui/bridge/draft_checker.h"
#include "ui/bridge/experiment_draft.h"
#include "ui/pages/data_page.h"
#include "ui/pages/dataset_delegate.h"
#include "ui/pages/page_support.h"
#include "ui/shell/icons.h"
#include "ui/widgets/class_grid.h"
#include "ui/widgets/experiment_sets.h"
#include "ui/widgets/form_scroll.h"
#include "ui/widgets/panel.h"

namespace bulwark {

QWidget* DataPage::makeList() {
  auto* panel = new Panel(tr("Data sets"));
  panel->setMinimumWidth(280);
  auto* side = new QWidget;
  auto* column = new QVBoxLayout(side);
  column->setContentsMargins(0, 0, 0, 0);
  column->setSpacing(12);
  column->addWidget(panel, 1);
  // Under the list, so that the images have the height of the page.
  auto* chosen = new Panel(tr("In this experiment"));
  auto* scroll = new FormScroll;
  scroll->setSizePolicy(QSizePolicy::Preferred, QSizePolicy::Maximum);
  scroll->setWidget(new ExperimentSets(context_.draft, context_.checker));
  chosen->body()->addWidget(scroll);
  chosen->setSizePolicy(QSizePolicy::Preferred, QSizePolicy::Maximum);
  column->addWidget(chosen);
  auto* add = new QPushButton(icon(QStringLiteral("folder")), tr("Add folder…"));
  add->setObjectName(QStringLiteral("addFolder"));
  add->setToolTip(
      tr("A folder with one folder of images per class, or IDX, CIFAR or NPY files; "
         "you can also drop it on this page"));
  panel->header()->addWidget(add);
  auto* search = new QLineEdit;
  search->setObjectName(QStringLiteral("datasetSearch"));
  search->setPlaceholderText(tr("Filter (Ctrl+F)"));
  search->setClearButtonEnabled(true);
  panel->body()->addWidget(search);
  list_ = new QListView;
  list_->setObjectName(QStringLiteral("datasetList"));
  list_->setAccessibleName(tr("Data sets"));
  list_->setModel(filter_);
  list_->setItemDelegate(new DatasetDelegate(list_));
  list_->setVerticalScrollMode(QAbstractItemView::ScrollPerPixel);
  panel->body()->addWidget(list_, 1);
  auto* installed = new QCheckBox(tr("Only what is installed"));
  installed->setObjectName(QStringLiteral("installedOnly"));
  panel->body()->addWidget(installed);
  connect(add, &QPushButton::clicked, this, [this] {
    const QString path = context_.dialogs->openFolder(this, tr("Add a folder of images"));
    if (!path.isEmpty()) addOwnSet(path);
  });
  connect(search, &QLineEdit::textChanged, filter_, &DatasetFilter::setWords);
  connect(installed, &QCheckBox::toggled, filter_, &DatasetFilter::setInstalledOnly);
  connect(list_->selectionModel(), &QItemSelectionModel::currentChanged, this,
          &DataPage::showEntry);
  auto* find = new QShortcut(QKeySequence::Find, this);
  find->setContext(Qt::WidgetWithChildrenShortcut);
  connect(find, &QShortcut::activated, search, qOverload<>(&QWidget::setFocus));
  return side;
}

QWidget* DataPage::makeDetails() {
  auto* side = new QWidget;
  auto* layout = new QVBoxLayout(side);
  layout->setContentsMargins(0, 0, 0, 0);
  layout->setSpacing(12);

  auto* details = new Panel;
  auto* top = new QHBoxLayout;
  title_ = roleLabel({}, "subtitle");
  title_->setObjectName(QStringLiteral("datasetTitle"));
  badge_ = roleLabel({}, "badge");
  badge_->setObjectName(QStringLiteral("datasetBadge"));
  top->addWidget(title_);
  top->addWidget(badge_);
  top->addStretch(1);
  useIn_ = primaryButton(tr("Use as in set"), QStringLiteral("useAsIn"));
  useOut_ = new QPushButton(tr("Add as out set"));
  useOut_->setObjectName(QStringLiteral("useAsOut"));
  useOpen_ = new QPushButton(tr("Use as open set"));
  useOpen_->setObjectName(QStringLiteral("useAsOpen"));
  check_ = new QPushButton(tr("Check files"));
  check_->setObjectName(QStringLiteral("checkFiles"));
  check_->setToolTip(tr("Reads everything: headers, counts, checksums"));
  details->body()->addLayout(top);
  summary_ = new QLabel;
  auto* about = new QHBoxLayout;
  about->setSpacing(8);
  about->addWidget(summary_, 1);
  details->body()->addLayout(about);
  facts_ = roleLabel({}, "muted");
  facts_->setOpenExternalLinks(true);
  advice_ = roleLabel({}, "muted");
  message_ = roleLabel({}, "muted");
  message_->setObjectName(QStringLiteral("datasetMessage"));
  for (auto* label : {summary_, facts_, advice_, message_}) {
    label->setWordWrap(true);
    label->setTextInteractionFlags(Qt::TextBrowserInteraction);
    if (label != summary_) details->body()->addWidget(label);
  }
  message_->hide();
  auto* actions = new QHBoxLayout;
  actions->setSpacing(8);
  actions->addWidget(useIn_);
  actions->addWidget(useOut_);
  actions->addWidget(useOpen_);
  actions->addStretch(1);
  checkProgress_ = new QProgressBar;
  checkProgress_->setObjectName(QStringLiteral("checkProgress"));
  checkProgress_->setTextVisible(false);
  checkProgress_->setFixedWidth(100);
  checkProgress_->hide();
  about->addWidget(checkProgress_, 0, Qt::AlignVCenter);
  about->addWidget(check_, 0, Qt::AlignTop);
  details->body()->addLayout(actions);
  layout->addWidget(details);

  gridPanel_ = new Panel(tr("Images by class"));
  split_ = new QComboBox;
  split_->setObjectName(QStringLiteral("previewSplit"));
  split_->setAccessibleName(tr("Part of the set"));
  split_->addItem(tr("Test images"), QStringLiteral("test"));
  split_->addItem(tr("Train images"), QStringLiteral("train"));
  gridPanel_->header()->addWidget(split_);
  gridState_ = roleLabel({}, "muted");
  gridState_->setObjectName(QStringLiteral("previewState"));
  gridState_->setWordWrap(true);
  gridPanel_->body()->addWidget(gridState_);
  auto* area = new QScrollArea;
  grid_ = new ClassGrid;
  area->setWidget(grid_);
  area->setWidgetResizable(true);
  area->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
  area->setMinimumHeight(96);
  area->viewport()->setAutoFillBackground(false);
  gridPanel_->body()->addWidget(area, 1);
  layout->addWidget(gridPanel_, 1);

  connect(useIn_, &QPushButton::clicked, this, [this] { use(Role::In); });
  connect(useOut_, &QPushButton::clicked, this, [this] { use(Role::Out); });
  connect(useOpen_, &QPushButton::clicked, this, [this] { use(Role::Open); });
  connect(check_, &QPushButton::clicked, this, &DataPage::check);
  connect(split_, &QComboBox::currentIndexChanged, this, &DataPage::loadPreview);
  connect(&checkTask_, &BackgroundTask::progress, this, [this](const ProgressUpdate& update) {
    checkProgress_->setRange(0, update.total > 0 ? 1000 : 0);
    if (update.total <= 0) return;
    checkProgress_->setValue(static_cast<int>(1000.0 * static_cast<double>(update.done) /
                                              static_cast<double>(update.total)));
  });
  return side;
}

}  // namespace bulwark
