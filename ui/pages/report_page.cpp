#include "ui/pages/report_page.h"

#include <QCheckBox>
#include <QClipboard>
#include <QComboBox>
#include <QFileInfo>
#include <QFontDatabase>
#include <QFormLayout>
#include <QGuiApplication>
#include <QLabel>
#include <QLineEdit>
#include <QListView>
#include <QLocale>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QScrollArea>
#include <QSignalBlocker>
#include <QSortFilterProxyModel>
#include <QSpinBox>
#include <QSplitter>
#include <QStackedWidget>
#include <QStandardItemModel>
#include <QTextBrowser>

#include "core/metrics/detection.h"
#include "ui/bridge/background.h"
#include "ui/bridge/database_service.h"
#include "ui/bridge/dialogs.h"
#include "ui/bridge/navigator.h"
#include "ui/bridge/run_focus.h"
#include "ui/pages/page_support.h"
#include "ui/plots/plot_export.h"
#include "ui/widgets/elided_label.h"
#include "ui/widgets/panel.h"

namespace bulwark {

namespace {

constexpr int kRunRole = Qt::UserRole + 1;
constexpr qsizetype kShownBytes = 400'000;  // more text than that stalls the preview
constexpr const char* kSettings[] = {"clean", "in", "out", "in_out"};

QString formatTitle(const std::string& format) {
  static const QMap<QString, QString> titles = {{QStringLiteral("tex"), QStringLiteral("LaTeX")},
                                                {QStringLiteral("md"), QStringLiteral("Markdown")},
                                                {QStringLiteral("txt"), ReportPage::tr("Text")},
                                                {QStringLiteral("csv"), QStringLiteral("CSV")},
                                                {QStringLiteral("html"), QStringLiteral("HTML")},
                                                {QStringLiteral("json"), QStringLiteral("JSON")},
                                                {QStringLiteral("npz"), QStringLiteral("NPZ")}};
  const QString name = QString::fromStdString(format);
  return titles.value(name, name.toUpper());
}

}  // namespace

ReportPage::ReportPage(const AppContext& context, QWidget* parent)
    : QWidget(parent),
      context_(context),
      writer_(new BackgroundTask(this)),
      saver_(new BackgroundTask(this)) {
  setObjectName(QStringLiteral("reportPage"));
  auto* content = new QWidget(this);
  auto* top = new QHBoxLayout;
  top->setSpacing(12);
  status_ = new ElidedLabel({}, content);
  status_->setObjectName(QStringLiteral("reportStatus"));
  status_->setProperty("role", "muted");
  top->addWidget(pageTitle(tr("Report"), content));
  top->addWidget(status_, 1, Qt::AlignBottom);
  auto* split = new QSplitter(Qt::Horizontal, content);
  split->setObjectName(QStringLiteral("reportSplit"));
  split->setChildrenCollapsible(false);
  split->setHandleWidth(8);
  split->addWidget(buildControls());
  split->addWidget(buildPreview());
  split->setStretchFactor(0, 0);
  split->setStretchFactor(1, 1);
  split->setSizes({320, 820});
  auto* column = new QVBoxLayout(content);
  column->setContentsMargins(16, 12, 16, 12);
  column->setSpacing(8);
  column->addLayout(top);
  column->addWidget(split, 1);

  empty_ =
      new EmptyState(QStringLiteral("report"), tr("Nothing to report yet"),
                     tr("Tables for a paper, curves, scores and whole reports of finished runs "
                        "are previewed and exported here."),
                     tr("Start with the data"), this);
  connect(empty_, &EmptyState::actionTriggered, this, [this] {
    if (context_.navigator) context_.navigator->showPage(PageId::Data);
  });
  stack_ = new QStackedWidget(this);
  stack_->addWidget(empty_);
  stack_->addWidget(content);
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(0, 0, 0, 0);
  layout->addWidget(stack_);

  refreshLater_.setSingleShot(true);
  refreshLater_.setInterval(80);
  connect(&refreshLater_, &QTimer::timeout, this, &ReportPage::updatePreview);
  reloadLater_.setSingleShot(true);
  reloadLater_.setInterval(1000);
  connect(&reloadLater_, &QTimer::timeout, this, &ReportPage::reloadRuns);
  connect(context_.database, &DatabaseService::changed, this, [this] {
    if (!reloadLater_.isActive()) reloadLater_.start();
  });
  connect(context_.database, &DatabaseService::opened, this, &ReportPage::reloadRuns);
  connect(context_.focus, &RunFocus::runChanged, this, [this](qint64 run) {
    if (run == 0) return;
    for (int i = 0; i < runs_->rowCount(); ++i) {
      const bool chosen = runs_->item(i)->data(kRunRole).toLongLong() == run;
      runs_->item(i)->setCheckState(chosen ? Qt::Checked : Qt::Unchecked);
    }
    // A run that has only just finished is not in the list yet.
    reloadRuns();
  });
  whatChanged();
  if (context_.database->isOpen()) reloadRuns();
}

QWidget* ReportPage::buildControls() {
  auto* panel = new Panel(tr("Runs"), this);
  panel->setMinimumWidth(250);
  runFilter_ = new QLineEdit(panel);
  runFilter_->setObjectName(QStringLiteral("reportRunFilter"));
  runFilter_->setPlaceholderText(tr("Filter runs"));
  runFilter_->setAccessibleName(tr("Filter runs"));
  runFilter_->setClearButtonEnabled(true);
  runs_ = new QStandardItemModel(this);
  runProxy_ = new QSortFilterProxyModel(this);
  runProxy_->setSourceModel(runs_);
  runProxy_->setFilterCaseSensitivity(Qt::CaseInsensitive);
  connect(runFilter_, &QLineEdit::textChanged, runProxy_,
          &QSortFilterProxyModel::setFilterFixedString);
  runList_ = new QListView(panel);
  runList_->setObjectName(QStringLiteral("reportRuns"));
  runList_->setAccessibleName(tr("Runs of the report"));
  runList_->setToolTip(tr("Tick the runs that the report is about"));
  runList_->setModel(runProxy_);
  runList_->setUniformItemSizes(true);
  runList_->setEditTriggers(QAbstractItemView::NoEditTriggers);
  connect(runs_, &QStandardItemModel::itemChanged, this, [this] { refreshLater_.start(); });
  panel->body()->addWidget(runFilter_);
  panel->body()->addWidget(runList_, 1);
  panel->body()->addWidget(roleLabel(tr("Content"), "heading", panel));

  const auto combo = [&](const char* name, const QString& help) {
    auto* box = new QComboBox(panel);
    box->setObjectName(QLatin1String(name));
    box->setToolTip(help);
    box->setMinimumContentsLength(8);
    return box;
  };
  what_ = combo("reportWhat", tr("What is written"));
  for (const ExportKind& kind : exportKinds()) {
    what_->addItem(QString::fromStdString(kind.title), QString::fromStdString(kind.name));
  }
  format_ = combo("reportFormat", tr("File format"));
  auto* form = new QFormLayout;
  form->setHorizontalSpacing(8);
  form->setVerticalSpacing(6);
  form->setFieldGrowthPolicy(QFormLayout::AllNonFixedFieldsGrow);
  // Both forms stand under each other: one width for all their labels.
  const QString settingsText = tr("Settings");
  const auto label = [&](const QString& text, QWidget* field) {
    QLabel* made = fieldLabel(text, field, panel);
    made->setMinimumWidth(made->fontMetrics().horizontalAdvance(settingsText) + 4);
    return made;
  };
  form->addRow(label(tr("&What"), what_), what_);
  form->addRow(label(tr("&Format"), format_), format_);
  panel->body()->addLayout(form);

  tableOptions_ = new QWidget(panel);
  metric_ = combo("reportMetric", tr("The metric of the table; CSV and JSON hold all of them"));
  for (const MetricInfo& info : metricInfos()) {
    if (!info.primary) continue;
    metric_->addItem(QString::fromStdString(info.title), QString::fromStdString(info.name));
    metric_->setItemData(metric_->count() - 1, QString::fromStdString(info.help), Qt::ToolTipRole);
  }
  layout_ = combo("reportLayout", tr("Which way the table runs"));
  layout_->addItem(tr("Automatic"), int(TableLayout::Auto));
  layout_->addItem(tr("Wide"), int(TableLayout::Wide));
  layout_->addItem(tr("Tall"), int(TableLayout::Tall));
  decimals_ = new QSpinBox(tableOptions_);
  decimals_->setObjectName(QStringLiteral("reportDecimals"));
  decimals_->setToolTip(tr("Digits after the point"));
  decimals_->setRange(1, 6);
  decimals_->setValue(3);
  const auto check = [&](const QString& text, const QString& name, const QString& help) {
    auto* box = new QCheckBox(text, tableOptions_);
    box->setObjectName(name);
    box->setToolTip(help);
    box->setChecked(true);
    connect(box, &QCheckBox::toggled, this, [this] { refreshLater_.start(); });
    return box;
  };
  intervals_ = check(tr("95 % &intervals"), QStringLiteral("reportIntervals"),
                     tr("Bootstrap intervals beside AUROC"));
  published_ = check(tr("&Published figures"), QStringLiteral("reportPublished"),
                     tr("Figures of the literature beside the measured ones, where known"));
  auto* settings = new QGridLayout;
  settings->setHorizontalSpacing(12);
  settings->setVerticalSpacing(4);
  for (int i = 0; i < 4; ++i) {
    const QString name = QLatin1String(kSettings[i]);
    settings_[i] = check(name, QStringLiteral("reportSetting_") + name,
                         tr("Include the setting %1").arg(name));
    settings->addWidget(settings_[i], i / 2, i % 2);
  }
  auto* options = new QFormLayout(tableOptions_);
  options->setContentsMargins(0, 0, 0, 0);
  options->setHorizontalSpacing(8);
  options->setVerticalSpacing(6);
  options->setFieldGrowthPolicy(QFormLayout::AllNonFixedFieldsGrow);
  options->addRow(label(tr("&Metric"), metric_), metric_);
  options->addRow(label(tr("&Layout"), layout_), layout_);
  options->addRow(label(tr("&Digits"), decimals_), decimals_);
  options->addRow(new QLabel(settingsText, tableOptions_), settings);
  options->addRow(intervals_);
  options->addRow(published_);
  panel->body()->addWidget(tableOptions_);

  connect(what_, &QComboBox::currentIndexChanged, this, &ReportPage::whatChanged);
  for (QComboBox* box : {format_, metric_, layout_}) {
    connect(box, &QComboBox::currentIndexChanged, this, [this] { refreshLater_.start(); });
  }
  connect(decimals_, &QSpinBox::valueChanged, this, [this] { refreshLater_.start(); });
  return panel;
}

QWidget* ReportPage::buildPreview() {
  auto* panel = new Panel(tr("Preview"), this);
  asPage_ = new QCheckBox(tr("As a page"), panel);
  asPage_->setObjectName(QStringLiteral("reportAsPage"));
  asPage_->setToolTip(tr("Show Markdown and HTML as they will look, not their source"));
  connect(asPage_, &QCheckBox::toggled, this, &ReportPage::render);
  auto* command = new QPushButton(tr("Copy command"), panel);
  command->setObjectName(QStringLiteral("reportCommand"));
  command->setToolTip(tr("Copy the command line that writes the same file"));
  connect(command, &QPushButton::clicked, this, &ReportPage::copyCommand);
  copy_ = new QPushButton(tr("Copy"), panel);
  copy_->setObjectName(QStringLiteral("reportCopy"));
  copy_->setToolTip(tr("Copy the whole text to the clipboard"));
  connect(copy_, &QPushButton::clicked, this, &ReportPage::copyText);
  export_ = primaryButton(tr("Export…"), QStringLiteral("reportExport"));
  export_->setToolTip(tr("Save the file"));
  connect(export_, &QPushButton::clicked, this, &ReportPage::exportFile);
  panel->header()->addWidget(asPage_);
  panel->header()->addWidget(command);
  panel->header()->addWidget(copy_);
  panel->header()->addWidget(export_);

  source_ = new QPlainTextEdit(panel);
  source_->setObjectName(QStringLiteral("reportSource"));
  source_->setAccessibleName(tr("Preview of the file"));
  source_->setReadOnly(true);
  source_->setLineWrapMode(QPlainTextEdit::NoWrap);
  source_->setFont(QFontDatabase::systemFont(QFontDatabase::FixedFont));
  rendered_ = new QTextBrowser(panel);
  rendered_->setObjectName(QStringLiteral("reportRendered"));
  rendered_->setOpenLinks(false);
  rendered_->setWordWrapMode(QTextOption::WordWrap);
  picture_ = new QLabel(panel);
  picture_->setObjectName(QStringLiteral("reportPicture"));
  picture_->setAlignment(Qt::AlignHCenter | Qt::AlignTop);
  pictureArea_ = new QScrollArea(panel);
  pictureArea_->setWidgetResizable(true);
  pictureArea_->setWidget(picture_);
  message_ = roleLabel({}, "muted", panel);
  message_->setObjectName(QStringLiteral("reportMessage"));
  message_->setAlignment(Qt::AlignCenter);
  message_->setWordWrap(true);
  preview_ = new QStackedWidget(panel);
  for (QWidget* page :
       std::initializer_list<QWidget*>{source_, rendered_, pictureArea_, message_}) {
    preview_->addWidget(page);
  }
  panel->body()->addWidget(preview_, 1);
  return panel;
}

void ReportPage::reloadRuns() {
  reloadLater_.stop();
  const quint64 request = ++listRequest_;
  context_.database->run(
      this, [](RunStore& store) { return store.runs(true); },
      [this, request](const std::vector<RunRecord>& runs) {
        if (request == listRequest_) showRuns(runs);
      });
}

void ReportPage::showRuns(const std::vector<RunRecord>& runs) {
  QSet<qint64> checked;
  for (const std::int64_t id : request().runs) checked.insert(id);
  std::vector<std::pair<qint64, QString>> shown;
  for (const RunRecord& run : runs) {
    if (run.state == RunState::Queued) continue;
    const QString name = QString::fromStdString(run.name);
    shown.emplace_back(run.id, run.state == RunState::Done
                                   ? QStringLiteral("%1  #%2").arg(name).arg(run.id)
                                   : QStringLiteral("%1  #%2 (%3)")
                                         .arg(name)
                                         .arg(run.id)
                                         .arg(QString::fromStdString(toString(run.state))));
  }
  stack_->setCurrentIndex(shown.empty() ? 0 : 1);
  bool same = runs_->rowCount() == int(shown.size());
  for (std::size_t i = 0; same && i < shown.size(); ++i) {
    same = runs_->item(int(i))->data(kRunRole).toLongLong() == shown[i].first &&
           runs_->item(int(i))->text() == shown[i].second;
  }
  if (same) {
    refreshLater_.start();
    return;
  }
  const qint64 focus = context_.focus->run();
  {
    const QSignalBlocker quiet(runs_);
    runs_->clear();
    bool any = false;
    for (const auto& [id, text] : shown) any = any || checked.contains(id);
    if (!any) checked = {focus != 0 || shown.empty() ? focus : shown.front().first};
    if (focus != 0 && checked.size() <= 1) checked = {focus};
    for (const auto& [id, text] : shown) {
      auto* item = new QStandardItem(text);
      item->setData(id, kRunRole);
      item->setCheckable(true);
      item->setCheckState(checked.contains(id) ? Qt::Checked : Qt::Unchecked);
      item->setToolTip(text);
      item->setSizeHint(QSize(0, 24));
      runs_->appendRow(item);
    }
  }
  // The model was filled silently; the view hears of it once.
  runProxy_->setSourceModel(nullptr);
  runProxy_->setSourceModel(runs_);
  refreshLater_.start();
}

void ReportPage::whatChanged() {
  const std::string what = what_->currentData().toString().toStdString();
  QStringList texts, values;
  for (const ExportKind& kind : exportKinds()) {
    if (kind.name != what) continue;
    for (const std::string& format : kind.formats) {
      texts += formatTitle(format);
      values += QString::fromStdString(format);
    }
  }
  const bool first = format_->count() == 0;
  fillChoices(format_, texts, values);
  if (first) {
    const QSignalBlocker quiet(format_);
    format_->setCurrentIndex(std::max(0, format_->findData(QStringLiteral("tex"))));
  }
  tableOptions_->setVisible(what == "table");
  refreshLater_.start();
}

ReportRequest ReportPage::request() const {
  ReportRequest request;
  for (int i = 0; i < runs_->rowCount(); ++i) {
    if (runs_->item(i)->checkState() == Qt::Checked) {
      request.runs.push_back(runs_->item(i)->data(kRunRole).toLongLong());
    }
  }
  request.what = what_->currentData().toString().toStdString();
  request.format = format_->currentData().toString().toStdString();
  if (request.what != "table") return request;
  request.options.metric = metric_->currentData().toString().toStdString();
  request.options.layout = TableLayout(layout_->currentData().toInt());
  request.options.decimals = decimals_->value();
  request.options.intervals = intervals_->isChecked();
  request.options.published = published_->isChecked();
  for (int i = 0; i < 4; ++i) {
    if (settings_[i]->isChecked()) request.settings.push_back(kSettings[i]);
  }
  return request;
}

void ReportPage::updatePreview() {
  const quint64 id = ++previewRequest_;
  const ReportRequest wanted = request();
  if (wanted.runs.empty()) {
    showProblem(tr("Tick at least one run on the left"));
    return;
  }
  if (wanted.what == "table" && wanted.settings.empty()) {
    showProblem(tr("Choose at least one setting"));
    return;
  }
  const auto fail = [this, id](const Error& error) {
    if (id != previewRequest_) return;
    QString text = QString::fromStdString(error.problem());
    if (!error.hint().empty()) text += u'\n' + QString::fromStdString(error.hint());
    showProblem(text);
  };
  context_.database->run(
      this, [wanted](RunStore& store) { return loadReports(store, wanted); },
      [this, id, wanted, fail](std::vector<RunReport> reports) {
        if (id != previewRequest_) return;
        auto shared = std::make_shared<std::vector<RunReport>>(std::move(reports));
        writer_->start([shared, wanted](Task&) { return writeReport(std::move(*shared), wanted); },
                       [this, id, format = wanted.format](std::string content) {
                         if (id != previewRequest_) return;
                         contentFormat_ = format;
                         showContent(std::move(content));
                       },
                       fail);
      },
      fail);
}

void ReportPage::showProblem(const QString& text) {
  content_.clear();
  message_->setText(text);
  preview_->setCurrentWidget(message_);
  export_->setEnabled(false);
  copy_->setEnabled(false);
  asPage_->setEnabled(false);
  status_->setFullText({});
  Q_EMIT previewed();
}

void ReportPage::showContent(std::string content) {
  content_ = std::move(content);
  export_->setEnabled(true);
  copy_->setEnabled(isTextFormat(contentFormat_));
  asPage_->setEnabled(contentFormat_ == "html" || contentFormat_ == "md");
  status_->setFullText(tr("%1, %2").arg(formatTitle(contentFormat_),
                                        QLocale().formattedDataSize(qint64(content_.size()))));
  render();
  Q_EMIT previewed();
}

void ReportPage::render() {
  if (content_.empty()) return;
  if (contentFormat_ == "png") {
    // As wide as the page, as long as it is.
    QImage image = QImage::fromData(QByteArray::fromStdString(content_), "PNG");
    const int width = preview_->width() - 32;
    if (image.width() > width) image = image.scaledToWidth(width, Qt::SmoothTransformation);
    picture_->setPixmap(QPixmap::fromImage(image));
    preview_->setCurrentWidget(pictureArea_);
    return;
  }
  if (!isTextFormat(contentFormat_)) {
    message_->setText(tr("A %1 file of %2, ready to be exported")
                          .arg(formatTitle(contentFormat_),
                               QLocale().formattedDataSize(qint64(content_.size()))));
    preview_->setCurrentWidget(message_);
    return;
  }
  const bool cut = qsizetype(content_.size()) > kShownBytes;
  QString text =
      QString::fromUtf8(content_.data(), std::min(qsizetype(content_.size()), kShownBytes));
  if (asPage_->isEnabled() && asPage_->isChecked() && !cut) {
    if (contentFormat_ == "html") {
      rendered_->setHtml(text);
    } else {
      rendered_->setMarkdown(text);
    }
    preview_->setCurrentWidget(rendered_);
    return;
  }
  if (cut) {
    text += tr("\n\n… the preview ends here; Copy and Export give all %1")
                .arg(QLocale().formattedDataSize(qint64(content_.size())));
  }
  source_->setPlainText(text);
  preview_->setCurrentWidget(source_);
}

QString ReportPage::suggestedName() const {
  const ReportRequest wanted = request();
  QString name = QString::fromStdString(wanted.what);
  for (const std::int64_t run : wanted.runs) {
    if (wanted.runs.size() <= 4) name += QStringLiteral("-%1").arg(run);
  }
  return name + u'.' + QString::fromStdString(wanted.format);
}

void ReportPage::exportFile() {
  if (content_.empty()) return;
  const QString suffix = QString::fromStdString(contentFormat_);
  QString path = context_.dialogs->saveFile(
      this, tr("Export the report"), suggestedName(),
      QStringLiteral("%1 (*.%2)").arg(formatTitle(contentFormat_), suffix));
  if (path.isEmpty()) return;
  if (QFileInfo(path).suffix().isEmpty()) path += u'.' + suffix;
  export_->setEnabled(false);
  const auto done = [this, path](const QString& problem) {
    export_->setEnabled(!content_.empty());
    if (problem.isEmpty()) {
      status_->setFullText(tr("Saved as %1").arg(path));
      Q_EMIT exported(path);
    } else {
      context_.dialogs->message(this, tr("The report was not saved"), problem);
    }
  };
  saver_->start([path, bytes = QByteArray::fromStdString(content_)](
                    Task&) { return writeBytes(path, bytes); },
                done, [done](const Error& error) { done(QString::fromStdString(error.what())); });
}

void ReportPage::copyText() {
  QGuiApplication::clipboard()->setText(QString::fromStdString(content_));
  status_->setFullText(tr("Copied"));
}

void ReportPage::copyCommand() {
  QGuiApplication::clipboard()->setText(QString::fromStdString(
      request().command(context_.database->path().toStdString(), suggestedName().toStdString())));
  status_->setFullText(tr("Command copied"));
}

}  // namespace bulwark
