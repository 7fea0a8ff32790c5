#include "ui/pages/train_page.h"

#include <QComboBox>
#include <QFormLayout>
#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QSettings>
#include <QSignalBlocker>
#include <QSpinBox>
#include <QSplitter>
#include <QVBoxLayout>
#include <map>
#include <utility>

#include "ui/bridge/database_service.h"
#include "ui/bridge/dialogs.h"
#include "ui/bridge/draft_checker.h"
#include "ui/bridge/experiment_draft.h"
#include "ui/bridge/job_controller.h"
#include "ui/bridge/run_focus.h"
#include "ui/models/job_table_model.h"
#include "ui/pages/page_support.h"
#include "ui/params/component_form.h"
#include "ui/plots/line_plot.h"
#include "ui/widgets/elided_label.h"
#include "ui/widgets/experiment_sets.h"
#include "ui/widgets/form_scroll.h"
#include "ui/widgets/panel.h"
#include "ui/widgets/start_bar.h"

namespace bulwark {

namespace {

/// Where the loss or the data of a training change on its way, from what the recipe has reported.
QVector<PlotStage> stagesOf(const RunRecord& run, const std::vector<EpochMetric>& metrics) {
  std::map<std::int64_t, int> stageOfEpoch;
  for (const auto& metric : metrics) {
    if (metric.phase == "train" && metric.name == "stage") {
      stageOfEpoch[metric.epoch] = static_cast<int>(metric.value);
    }
  }
  const Json::json_pointer recipe("/classifier/recipe/type");
  const bool exposure =
      run.specification.contains(recipe) && run.specification.at(recipe) == "outlier_exposure";
  QVector<PlotStage> stages;
  int before = stageOfEpoch.empty() ? 0 : stageOfEpoch.begin()->second;
  for (const auto& [epoch, stage] : stageOfEpoch) {
    if (stage == before) continue;
    before = stage;
    // Points stand at the end of their epoch: the stage begins between two of them.
    stages << PlotStage{
        static_cast<double>(epoch) - 0.5,
        exposure ? TrainPage::tr("tuning with outliers") : TrainPage::tr("stage %1").arg(stage)};
  }
  return stages;
}

}  // namespace

TrainPage::TrainPage(const AppContext& context, QWidget* parent)
    : QWidget(parent), context_(context), devicesTask_(this) {
  setObjectName(QStringLiteral("trainPage"));
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(16, 12, 16, 12);
  layout->setSpacing(12);
  auto* top = new QHBoxLayout;
  top->addWidget(pageTitle(tr("Train"), this));
  top->setSpacing(8);
  top->addSpacing(8);
  auto* startFrom = roleLabel(tr("Start &from"), "muted");
  top->addWidget(startFrom);
  preset_ = new QComboBox;
  preset_->setObjectName(QStringLiteral("preset"));
  preset_->setAccessibleName(tr("Preset experiment"));
  startFrom->setBuddy(preset_);
  preset_->addItem(tr("Choose a preset…"));
  for (const auto& entry : presets()) {
    preset_->addItem(QString::fromStdString(entry.name), QString::fromStdString(entry.name));
    preset_->setItemData(preset_->count() - 1, QString::fromStdString(entry.summary),
                         Qt::ToolTipRole);
  }
  top->addWidget(preset_);
  top->addStretch(1);
  detail_ = new DetailSwitch;
  top->addWidget(detail_);
  layout->addLayout(top);

  auto* splitter = new QSplitter;
  splitter->setHandleWidth(12);
  splitter->setChildrenCollapsible(false);
  splitter->addWidget(makeForms());
  splitter->addWidget(makeCurves());
  splitter->setStretchFactor(0, 4);
  splitter->setStretchFactor(1, 5);
  splitter->setSizes({460, 560});
  layout->addWidget(splitter, 1);
  layout->addWidget(new StartBar(context_, tr("Start")));

  connect(preset_, &QComboBox::activated, this, [this](int index) {
    if (index > 0) {
      context_.draft->load(preset(preset_->itemData(index).toString().toStdString()).specification);
    }
  });
  connect(detail_, &DetailSwitch::detailChanged, this, [this](Visibility detail) {
    network_->setDetail(detail);
    recipe_->setDetail(detail);
    context_.settings->setValue(QStringLiteral("forms/detail"), static_cast<int>(detail));
  });
  const int stored =
      context_.settings->value(QStringLiteral("forms/detail"), static_cast<int>(Visibility::Normal))
          .toInt();
  detail_->setDetail(static_cast<Visibility>(qBound(0, stored, 2)));
  connect(context_.draft, &ExperimentDraft::changed, this, &TrainPage::showDraft);
  connect(context_.checker, &DraftChecker::checked, this, &TrainPage::showProblem);
  connect(context_.focus, &RunFocus::runChanged, this, &TrainPage::refreshCurves);
  connect(context_.focus, &RunFocus::contentChanged, this, &TrainPage::refreshCurves);
  connect(context_.jobs, &JobController::started, this, &TrainPage::refreshCurves);
  connect(context_.database, &DatabaseService::changed, this, [this] {
    if (context_.focus->run() == 0) refreshCurves();
  });
  showDraft();
  refreshCurves();
  // The first look at the devices loads their driver, which takes its time.
  devicesTask_.start([](Task&) { return listDevices(); },
                     [this](const std::vector<DeviceInfo>& devices) { showDevices(devices); },
                     [](const Error&) {});
}

QWidget* TrainPage::makeForms() {
  auto* area = new FormScroll;
  auto* body = new QWidget;
  auto* layout = new QVBoxLayout(body);
  layout->setContentsMargins(0, 0, 4, 0);
  layout->setSpacing(12);

  auto* run = new Panel(tr("Run"));
  auto* form = new QFormLayout;
  form->setHorizontalSpacing(12);
  form->setVerticalSpacing(6);
  form->setFieldGrowthPolicy(QFormLayout::ExpandingFieldsGrow);
  name_ = new QLineEdit;
  name_->setObjectName(QStringLiteral("runName"));
  form->addRow(tr("&Name"), name_);
  device_ = new QComboBox;
  device_->setObjectName(QStringLiteral("device"));
  device_->addItem(tr("Automatic"), QStringLiteral("auto"));
  device_->setItemData(0, tr("The first GPU, else the processor"), Qt::ToolTipRole);
  device_->addItem(tr("Processor"), QStringLiteral("cpu"));
  device_->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
  device_->setMinimumContentsLength(16);
  device_->setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
  form->addRow(tr("&Device"), device_);
  auto* numbers = new QHBoxLayout;
  numbers->setSpacing(8);
  seed_ = new QSpinBox;
  seed_->setObjectName(QStringLiteral("seed"));
  seed_->setRange(0, 2000000000);
  seed_->setToolTip(tr("The same specification, seed, device and threads give the same numbers"));
  seed_->setMinimumWidth(96);
  numbers->addWidget(seed_);
  numbers->addSpacing(8);
  auto* threadsLabel = new QLabel(tr("&Threads"));
  numbers->addWidget(threadsLabel);
  threads_ = new QSpinBox;
  threads_->setObjectName(QStringLiteral("threads"));
  threads_->setRange(0, 1024);
  threads_->setSpecialValueText(tr("all cores"));
  threads_->setMinimumWidth(96);
  threadsLabel->setBuddy(threads_);
  numbers->addWidget(threads_);
  numbers->addStretch(1);
  auto* seedLabel = new QLabel(tr("&Seed"));
  seedLabel->setBuddy(seed_);
  form->addRow(seedLabel, numbers);
  run->body()->addLayout(form);
  layout->addWidget(run);

  auto* data = new Panel(tr("Data"));
  data->body()->addWidget(new ExperimentSets(context_.draft, context_.checker));
  layout->addWidget(data);

  auto* network = new Panel(tr("Network"));
  network_ = new ComponentForm(context_.registries->networks.list(), QStringLiteral("network"));
  network->body()->addWidget(network_);
  layout->addWidget(network);

  auto* recipe = new Panel(tr("Training recipe"));
  recipe_ = new ComponentForm(context_.registries->recipes.list(), QStringLiteral("recipe"));
  recipe->body()->addWidget(recipe_);
  layout->addWidget(recipe);
  layout->addStretch(1);
  area->setWidget(body);

  ExperimentDraft* draft = context_.draft;
  connect(network_, &ComponentForm::changed, this,
          [this, draft] { draft->setPart("/classifier/network", network_->value()); });
  connect(recipe_, &ComponentForm::changed, this,
          [this, draft] { draft->setPart("/classifier/recipe", recipe_->value()); });
  connect(name_, &QLineEdit::textEdited, this,
          [draft](const QString& text) { draft->setPart("/name", text.toStdString()); });
  connect(seed_, &QSpinBox::valueChanged, this,
          [draft](int value) { draft->setPart("/seed", value); });
  connect(threads_, &QSpinBox::valueChanged, this,
          [draft](int value) { draft->setPart("/threads", value); });
  connect(device_, &QComboBox::currentIndexChanged, this, [this, draft] {
    draft->setPart("/device", device_->currentData().toString().toStdString());
  });
  return area;
}

QWidget* TrainPage::makeCurves() {
  auto* panel = new Panel(tr("Training"));
  panel->setMinimumWidth(240);
  runTitle_ = new ElidedLabel;
  runTitle_->setProperty("role", "muted");
  runTitle_->setObjectName(QStringLiteral("curvesOf"));
  panel->header()->addWidget(runTitle_);
  loss_ = new LinePlot;
  loss_->setObjectName(QStringLiteral("lossPlot"));
  loss_->setTitle(tr("Loss"));
  loss_->setAxisTitles(tr("epoch"), tr("loss"));
  loss_->setEmptyText(tr("The loss of each epoch appears here while a run trains."));
  accuracy_ = new LinePlot;
  accuracy_->setObjectName(QStringLiteral("accuracyPlot"));
  accuracy_->setTitle(tr("Accuracy"));
  accuracy_->setAxisTitles(tr("epoch"), tr("accuracy"));
  accuracy_->setEmptyText(tr("Clean and robust accuracy of each epoch."));
  for (auto* plot : {loss_, accuracy_}) {
    connectPlot(plot, context_);
    panel->body()->addWidget(plot, 1);
  }
  return panel;
}

void TrainPage::showDraft() {
  const ExperimentDraft& draft = *context_.draft;
  const QSignalBlocker quiet[] = {QSignalBlocker(seed_), QSignalBlocker(threads_),
                                  QSignalBlocker(device_), QSignalBlocker(preset_)};
  if (name_->text() != draft.name()) {
    name_->setText(draft.name());
    name_->setCursorPosition(0);  // a long name shows its beginning
  }
  seed_->setValue(static_cast<int>(qMin<quint64>(draft.seed(), 2000000000)));
  threads_->setValue(draft.threads());
  int index = device_->findData(draft.device());
  if (index < 0) {
    device_->addItem(draft.device(), draft.device());
    index = device_->count() - 1;
  }
  device_->setCurrentIndex(index);
  const Json network = draft.part("/classifier/network");
  if (!network.is_null() && network != network_->value()) network_->setValue(network);
  const Json recipe = draft.part("/classifier/recipe");
  if (!recipe.is_null() && recipe != recipe_->value()) recipe_->setValue(recipe);
  bool isPreset = false;
  for (int i = 1; i < preset_->count(); ++i) {
    if (preset(preset_->itemData(i).toString().toStdString()).specification ==
        draft.specification()) {
      preset_->setCurrentIndex(i);
      isPreset = true;
    }
  }
  if (!isPreset) preset_->setCurrentIndex(0);
}

void TrainPage::showDevices(const std::vector<DeviceInfo>& devices) {
  const QSignalBlocker quiet(device_);
  for (const auto& device : devices) {
    const QString name = QString::fromStdString(device.name);
    const QString title = QString::fromStdString(device.title);
    const int index = device_->findData(name);
    if (index < 0) {
      device_->addItem(title, name);
    } else {
      device_->setItemText(index, title);
    }
  }
}

void TrainPage::showProblem() {
  const DraftCheck& check = context_.checker->last();
  for (const auto& [form, prefix] : {std::pair{network_, QStringLiteral("classifier.network.")},
                                     std::pair{recipe_, QStringLiteral("classifier.recipe.")}}) {
    form->form()->clearErrors();
    if (!check.valid && check.where.startsWith(prefix)) {
      form->form()->setError(check.where.mid(prefix.size()).toStdString(), check.problem);
    }
  }
}

void TrainPage::refreshCurves() {
  const qint64 run =
      context_.jobs->runningRun() != 0 ? context_.jobs->runningRun() : context_.focus->run();
  if (run == 0) {
    loss_->clearSeries();
    accuracy_->clearSeries();
    runTitle_->setFullText({});
    return;
  }
  if (asking_) {
    again_ = true;
    return;
  }
  asking_ = true;
  context_.database->run(
      this,
      [run](RunStore& store) {
        return std::make_pair(store.findRun(run).value_or(RunRecord{}), store.epochMetrics(run));
      },
      [this](const std::pair<RunRecord, std::vector<EpochMetric>>& found) {
        asking_ = false;
        showCurves(found.first, found.second);
        if (std::exchange(again_, false)) refreshCurves();
      },
      [this](const Error&) {
        asking_ = false;
        if (std::exchange(again_, false)) refreshCurves();
      });
}

void TrainPage::showCurves(const RunRecord& run, const std::vector<EpochMetric>& metrics) {
  if (run.id == 0) return;
  runTitle_->setFullText(
      QStringLiteral("%1  ·  %2").arg(stateTitle(run.state), QString::fromStdString(run.name)));
  struct Series {
    QVector<double> x, y;
  };
  std::map<QString, Series> losses, accuracies;
  for (const auto& metric : metrics) {
    QString name = QString::fromStdString(metric.name).replace(QLatin1Char('_'), QLatin1Char(' '));
    const bool isLoss = name.contains(QLatin1String("loss"));
    if (!isLoss && !name.contains(QLatin1String("accuracy"))) continue;
    if (metric.phase != "train") name = QString::fromStdString(metric.phase) + ' ' + name;
    Series& series = isLoss ? losses[name] : accuracies[name];
    series.x << static_cast<double>(metric.epoch);
    series.y << metric.value;
  }
  loss_->clearSeries();
  for (const auto& [name, series] : losses) loss_->setSeries(name, series.x, series.y);
  accuracy_->clearSeries();
  for (const auto& [name, series] : accuracies) accuracy_->setSeries(name, series.x, series.y);
  const auto stages = stagesOf(run, metrics);
  for (auto* plot : {loss_, accuracy_}) plot->setStages(stages);
}

}  // namespace bulwark
