#include "ui/pages/data_page.h"

#include <QCheckBox>
#include <QComboBox>
#include <QDir>
#include <QDragEnterEvent>
#include <QFileInfo>
#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QListView>
#include <QLocale>
#include <QMimeData>
#include <QProgressBar>
#include <QPushButton>
#include <QRegularExpression>
#include <QSplitter>
#include <QVBoxLayout>
#include <algorithm>

#include "core/base/files.h"
#include "ui/bridge/dialogs.h"
#include "ui/bridge/draft_checker.h"
#include "ui/bridge/experiment_draft.h"
#include "ui/pages/dataset_delegate.h"
#include "ui/pages/own_sets.h"
#include "ui/pages/page_support.h"
#include "ui/shell/icons.h"
#include "ui/widgets/class_grid.h"
#include "ui/widgets/experiment_sets.h"
#include "ui/widgets/panel.h"

namespace bulwark {

namespace {
constexpr int perClass = 12;  // thumbnails
}

DataPage::DataPage(const AppContext& context, QWidget* parent)
    : QWidget(parent),
      context_(context),
      model_(new DatasetModel(this)),
      filter_(new DatasetFilter(this)),
      statusTask_(this),
      previewTask_(this),
      checkTask_(this),
      addTask_(this) {
  setObjectName(QStringLiteral("dataPage"));
  setAcceptDrops(true);
  filter_->setSourceModel(model_);
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(16, 12, 16, 16);
  layout->setSpacing(8);
  auto* top = new QHBoxLayout;
  top->setSpacing(12);
  top->addWidget(pageTitle(tr("Data"), this));
  top->addWidget(
      roleLabel(tr("What counts as normal, and what the detectors shall find."), "muted"), 1,
      Qt::AlignBottom);
  layout->addLayout(top);
  auto* splitter = new QSplitter;
  splitter->setHandleWidth(12);
  splitter->setChildrenCollapsible(false);
  splitter->addWidget(makeList());
  splitter->addWidget(makeDetails());
  splitter->setStretchFactor(1, 1);
  splitter->setSizes({400, 660});
  layout->addWidget(splitter, 1);
  showEntry();
  reload();
}

QString DataPage::ownFolder() {
  return QDir(QString::fromStdString(userDataFolder().string()))
      .filePath(QStringLiteral("datasets"));
}

void DataPage::reload(const QString& select) {
  statusTask_.start(
      [catalogue = *context_.catalogue, folder = ownFolder()](Task& task) {
        std::vector<DatasetEntry> entries;
        for (const auto& info : catalogue.sets()) {
          task.checkpoint();
          DatasetEntry entry;
          entry.info = info;
          entry.status = catalogue.status(info.name);
          entry.statusKnown = true;
          entries.push_back(std::move(entry));
        }
        for (auto& own : findOwnSets(folder, catalogue)) entries.push_back(std::move(own));
        return entries;
      },
      [this, select](std::vector<DatasetEntry> entries) {
        const auto kept = current();
        const QString wanted = !select.isEmpty() ? select
                               : kept            ? QString::fromStdString(kept->info.name)
                                                 : QString();
        model_->setEntries(std::move(entries));
        QModelIndex index = filter_->mapFromSource(model_->indexOf(wanted));
        if (!index.isValid()) index = filter_->index(0, 0);
        list_->setCurrentIndex(index);
        list_->scrollTo(index);
        showEntry();
        if (!select.isEmpty()) Q_EMIT setAdded(select);
      },
      [this](const Error& error) { say(QString::fromStdString(error.what()), "error"); });
}

std::optional<DatasetEntry> DataPage::current() const {
  const auto* entry = model_->entry(filter_->mapToSource(list_->currentIndex()));
  return entry ? std::optional(*entry) : std::nullopt;
}

void DataPage::showEntry() {
  checkTask_.cancel();
  checkProgress_->hide();
  check_->setText(tr("Check files"));
  message_->hide();
  const auto entry = current();
  for (auto* button : {useIn_, useOut_, useOpen_, check_}) button->setEnabled(entry.has_value());
  badge_->setVisible(entry.has_value());
  if (!entry) {
    title_->setText(tr("Data"));
    summary_->setText(tr("Choose a set on the left, or drop a folder of images here."));
    facts_->clear();
    advice_->hide();
    grid_->clear();
    gridState_->setText(tr("The images of the chosen set appear here."));
    return;
  }
  const auto& info = entry->info;
  const auto index = list_->currentIndex();
  const bool usable = index.data(DatasetModel::InstalledRole).toBool();
  title_->setText(index.data().toString());
  badge_->setText(index.data(DatasetModel::BadgeRole).toString());
  summary_->setText(QString::fromStdString(info.summary));
  QStringList facts;
  const auto counts = [](std::int64_t count) {
    return QLocale().toString(static_cast<qlonglong>(count));
  };
  if (info.trainCount > 0) facts << tr("%1 training images").arg(counts(info.trainCount));
  if (info.testCount > 0) facts << tr("%1 test images").arg(counts(info.testCount));
  if (info.height > 0) {
    facts << QStringLiteral("%1 x %2 x %3").arg(info.channels).arg(info.height).arg(info.width);
  }
  if (!info.licence.empty()) {
    facts << tr("licence: %1").arg(QString::fromStdString(info.licence).toHtmlEscaped());
  }
  if (!info.reference.empty()) facts << QString::fromStdString(info.reference).toHtmlEscaped();
  if (!info.homepage.empty()) {
    facts << QStringLiteral("<a href=\"%1\">%2</a>")
                 .arg(QString::fromStdString(info.homepage).toHtmlEscaped(), tr("home page"));
  }
  if (entry->own) {
    facts << QFileInfo(entry->path).canonicalFilePath().toHtmlEscaped();
  } else if (!entry->status.folder.empty()) {
    facts << QString::fromStdString(entry->status.folder.string()).toHtmlEscaped();
  }
  facts_->setText(facts.join(QStringLiteral("  ·  ")));
  QString advice;
  if (!usable) {
    advice = QString::fromStdString(entry->status.advice.empty() ? info.whatToPutWhere
                                                                 : entry->status.advice);
  }
  advice_->setText(advice);
  advice_->setTextFormat(Qt::PlainText);
  advice_->setVisible(!advice.isEmpty());
  const bool classes = info.classes != 0 || entry->own;
  const bool both = entry->has("train") && entry->has("test");
  useIn_->setEnabled(usable && classes && both);
  useIn_->setToolTip(useIn_->isEnabled() || !usable
                         ? tr("The normal images: the classifier is trained on them")
                     : !classes ? tr("It has no classes to train a classifier on")
                                : tr("An in set needs training images and test images"));
  useOut_->setEnabled(usable);
  useOut_->setToolTip(tr("Anomalous images that the detectors should tell apart"));
  useOpen_->setEnabled(usable);
  useOpen_->setToolTip(
      tr("Outliers that the recipe Outlier exposure trains with; they must not be "
         "among the test images"));
  check_->setEnabled(usable && !info.generated && !entry->own);
  check_->setVisible(!info.generated && !entry->own);
  loadPreview();
}

void DataPage::loadPreview() {
  previewTask_.cancel();
  grid_->clear();
  const auto entry = current();
  if (!entry) return;
  if (!list_->currentIndex().data(DatasetModel::InstalledRole).toBool()) {
    gridState_->setText(tr("Its images appear here once it is installed."));
    gridState_->show();
    return;
  }
  gridState_->setText(tr("Reading…"));
  gridState_->show();
  setRole(gridState_, "muted");
  previewTask_.start(
      [catalogue = *context_.catalogue, request = entry->request(),
       split = split_->currentData().toString().toStdString()](Task& task) {
        return previewDataset(catalogue, DatasetRequest::fromJson(request, "dataset"), split,
                              perClass, task);
      },
      [this](const DatasetPreview& preview) {
        gridState_->setText(tr("%1 images of %2 x %3 x %4, the first of each class")
                                .arg(QLocale().toString(static_cast<qlonglong>(preview.count)))
                                .arg(preview.channels)
                                .arg(preview.height)
                                .arg(preview.width));
        grid_->setPreview(preview);
      },
      [this](const Error& error) {
        setRole(gridState_, "error");
        gridState_->setText(QString::fromStdString(error.what()));
      });
}

void DataPage::check() {
  if (checkTask_.isRunning()) {
    checkTask_.cancel();
    checkProgress_->hide();
    check_->setText(tr("Check files"));
    say(tr("The check was cancelled."), "muted");
    return;
  }
  const auto entry = current();
  if (!entry) return;
  check_->setText(tr("Cancel check"));
  checkProgress_->setRange(0, 0);
  checkProgress_->show();
  const auto ended = [this] {
    check_->setText(tr("Check files"));
    checkProgress_->hide();
  };
  checkTask_.start([catalogue = *context_.catalogue,
                    name = entry->info.name](Task& task) { return catalogue.check(name, task); },
                   [this, ended](const DatasetStatus& status) {
                     ended();
                     QStringList lines;
                     for (const auto& file : status.missing) {
                       lines << tr("missing: %1").arg(QString::fromStdString(file));
                     }
                     for (const auto& problem : status.problems)
                       lines << QString::fromStdString(problem);
                     if (lines.isEmpty()) {
                       say(tr("All files are as they should be."), "muted");
                     } else {
                       say(lines.join(QLatin1Char('\n')), "error");
                     }
                   },
                   [this, ended](const Error& error) {
                     ended();
                     say(QString::fromStdString(error.what()), "error");
                   });
}

void DataPage::use(Role role) {
  const auto entry = current();
  if (!entry) return;
  const Json request =
      role == Role::In ? entry->request() : entry->request(role == Role::Open ? "train" : "test");
  QString text;
  if (role == Role::In) {
    context_.draft->setIn(request);
    text = tr("%1 is now the in-distribution set.").arg(title_->text());
  } else if (role == Role::Open) {
    context_.draft->setPart("/data/open", request);
    text = tr("%1 is now the open set, for recipes that train with outliers.").arg(title_->text());
  } else if (context_.draft->addOut(request)) {
    text = tr("%1 was added to the out sets.").arg(title_->text());
  } else {
    say(tr("%1 already is an out set.").arg(title_->text()), "warning");
    return;
  }
  if (request.contains("split")) {
    text += QLatin1Char(' ') + (role == Role::Open
                                    ? tr("It has test images only; those are taken.")
                                    : tr("It has training images only; those are taken."));
  }
  const QString clash = clashOf(request, role);
  say(clash.isEmpty() ? text : text + QLatin1Char(' ') + clash,
      clash.isEmpty() ? "muted" : "warning");
}

/// What the draft has the set as besides; empty where nothing. Sets of which classes are chosen are
/// left to the check of the whole.
QString DataPage::clashOf(const Json& added, Role role) const {
  const auto same = [&](const Json& other) {
    if (!other.is_object() || other.contains("classes")) return false;
    const std::string key = added.contains("path") ? "path" : "dataset";
    return other.value(key, Json()) == added.at(key);
  };
  const Json outs = context_.draft->part("/data/out");
  const bool out = outs.is_array() && std::any_of(outs.begin(), outs.end(), same);
  if (role != Role::In && same(context_.draft->part("/data/in"))) {
    return tr("But it is the in set as well: one of the two has to go.");
  }
  if (role != Role::Out && out) {
    return role == Role::Open ? tr("But it is an out set as well, and what is trained with must "
                                   "not be tested on: one of the two has to go.")
                              : tr("But it is an out set as well: one of the two has to go.");
  }
  if (role != Role::Open && same(context_.draft->part("/data/open"))) {
    return tr(
        "But it is the open set as well, and what is trained with must not be tested on: "
        "one of the two has to go.");
  }
  return {};
}

void DataPage::say(const QString& text, const char* role) {
  setRole(message_, role);
  message_->setTextFormat(Qt::PlainText);
  message_->setText(text);
  message_->show();
}

void DataPage::changeEvent(QEvent* event) {
  QWidget::changeEvent(event);
  if (event->type() != QEvent::PaletteChange) return;
  // Rich text keeps the colour that its links had when it was set.
  const QString facts = facts_->text();
  facts_->clear();
  facts_->setText(facts);
}

void DataPage::dragEnterEvent(QDragEnterEvent* event) {
  const auto urls = event->mimeData()->urls();
  if (!urls.isEmpty() && urls.first().isLocalFile()) event->acceptProposedAction();
}

void DataPage::dropEvent(QDropEvent* event) {
  const auto urls = event->mimeData()->urls();
  if (urls.isEmpty()) return;
  event->acceptProposedAction();
  addOwnSet(urls.first().toLocalFile());
}

void DataPage::addOwnSet(const QString& path) {
  say(tr("Reading %1…").arg(path), "muted");
  addTask_.start(
      [catalogue = *context_.catalogue, path, folder = ownFolder()](Task& task) {
        return linkOwnSet(path, folder, catalogue, task);
      },
      [this](const QString& name) {
        filter_->setWords({});
        reload(name);
        context_.checker->recheck();
      },
      [this](const Error& error) { say(QString::fromStdString(error.what()), "error"); });
}

}  // namespace bulwark
