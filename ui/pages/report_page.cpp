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
constexpr qsizetype kPageBytes = 4'000'000;  // as a page: most of it are pictures
constexpr qsizetype kShownBytes = 400'000;   // more text than that stalls the preview

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
  stack_ = fillPage(this, empty_, content);

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
                                   ? QStringLiteral("#%1  %2").arg(run.id).arg(name)
                                   : QStringLiteral("#%1  %2 (%3)")
                                         .arg(run.id)
                                         .arg(name)
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
  // A report is read as a page; its source is one click away.
  if (what == "report") asPage_->setChecked(true);
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
    if (settings_[i]->isChecked()) request.settings.push_back(settingNames[i]);
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
  const bool page = asPage_->isEnabled() && asPage_->isChecked();
  const qsizetype most = page && contentFormat_ == "html" ? kPageBytes : kShownBytes;
  const bool cut = qsizetype(content_.size()) > most;
  QString text = QString::fromUtf8(content_.data(),
                                   std::min(qsizetype(content_.size()), cut ? kShownBytes : most));
  if (page && !cut) {
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
