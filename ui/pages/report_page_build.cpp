// The parts of the Report page: what is written, and how it looks.
#include <QCheckBox>
#include <QComboBox>
#include <QFontDatabase>
#include <QFormLayout>
#include <QGridLayout>
#include <QLabel>
#include <QLineEdit>
#include <QListView>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QScrollArea>
#include <QSortFilterProxyModel>
#include <QSpinBox>
#include <QStackedWidget>
#include <QStandardItemModel>
#include <QTextBrowser>

#include "core/metrics/detection.h"
#include "ui/pages/page_support.h"
#include "ui/pages/report_page.h"
#include "ui/widgets/panel.h"

namespace bulwark {

QWidget* ReportPage::buildControls() {
  auto* panel = new Panel(tr("Runs"), this);
  panel->setMinimumWidth(240);
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
  runList_->setTextElideMode(Qt::ElideMiddle);  // names of a series differ at their ends
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
    const QString name = QLatin1String(settingNames[i]);
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
  auto* panel = new Panel({}, this);
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

}  // namespace bulwark
