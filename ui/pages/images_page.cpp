#include "ui/pages/images_page.h"

#include <QCheckBox>
#include <QComboBox>
#include <QGridLayout>
#include <QItemSelectionModel>
#include <QKeyEvent>
#include <QLabel>
#include <QListView>
#include <QLocale>
#include <QPushButton>
#include <QSlider>
#include <QSplitter>
#include <QStackedWidget>
#include <algorithm>
#include <cmath>

#include "ui/bridge/database_service.h"
#include "ui/bridge/navigator.h"
#include "ui/bridge/run_focus.h"
#include "ui/bridge/selection_hub.h"
#include "ui/models/image_pair_model.h"
#include "ui/models/pixels.h"
#include "ui/pages/page_support.h"
#include "ui/plots/line_plot.h"
#include "ui/widgets/elided_label.h"
#include "ui/widgets/image_view.h"
#include "ui/widgets/panel.h"

namespace bulwark {

namespace {

constexpr int kReloadDelay = 800;  // ms
constexpr double kGains[] = {1, 2, 5, 10, 20, 50};

QString number(double value, int digits = 4) {
  return QLocale().toString(value, 'g', digits);
}

}  // namespace

ImagesPage::ImagesPage(const AppContext& context, QWidget* parent)
    : QWidget(parent), context_(context) {
  setObjectName(QStringLiteral("imagesPage"));
  model_ = new ImagePairModel(context_.database, context_.selection, this);
  filter_ = new ImagePairFilter(this);
  filter_->setSourceModel(model_);

  auto* content = new QWidget(this);
  name_ = new ElidedLabel({}, content);
  name_->setObjectName(QStringLiteral("imagesName"));
  name_->setProperty("role", "muted");
  auto* top = new QHBoxLayout;
  top->setSpacing(12);
  top->addWidget(pageTitle(tr("Images"), content));
  top->addWidget(name_, 1, Qt::AlignBottom);
  auto* split = new QSplitter(Qt::Horizontal, content);
  split->setObjectName(QStringLiteral("imagesSplit"));
  split->setChildrenCollapsible(false);
  split->setHandleWidth(8);
  split->addWidget(buildList());
  split->addWidget(buildViewer());
  split->setStretchFactor(0, 0);
  split->setStretchFactor(1, 1);
  split->setSizes({346, 800});
  auto* column = new QVBoxLayout(content);
  column->setContentsMargins(16, 12, 16, 12);
  column->setSpacing(8);
  column->addLayout(top);
  column->addWidget(split, 1);

  empty_ = new EmptyState(QStringLiteral("images"), {}, {}, tr("Choose a run"), this);
  connect(empty_, &EmptyState::actionTriggered, this, [this] {
    if (context_.navigator) context_.navigator->showPage(PageId::Compare);
  });
  stack_ = new QStackedWidget(this);
  stack_->addWidget(empty_);
  stack_->addWidget(content);
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(0, 0, 0, 0);
  layout->addWidget(stack_);

  connect(context_.focus, &RunFocus::runChanged, this, &ImagesPage::reload);
  reloadLater_.setSingleShot(true);
  reloadLater_.setInterval(kReloadDelay);
  connect(&reloadLater_, &QTimer::timeout, this, &ImagesPage::reload);
  connect(context_.focus, &RunFocus::contentChanged, this, [this] {
    if (!reloadLater_.isActive()) reloadLater_.start();
  });
  connect(context_.selection, &SelectionHub::changed, this, [this] {
    if (onlySelected_->isChecked()) applyFilter();
  });
  reload();
}

QWidget* ImagesPage::buildList() {
  auto* panel = new Panel(tr("Image pairs"), this);
  count_ = roleLabel({}, "muted", panel);
  count_->setObjectName(QStringLiteral("imagesCount"));
  panel->header()->addWidget(count_);
  const auto box = [&](const char* name, const QString& help) {
    auto* combo = new QComboBox(panel);
    combo->setObjectName(QLatin1String(name));
    combo->setToolTip(help);
    combo->setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    combo->setMinimumContentsLength(8);
    connect(combo, &QComboBox::currentIndexChanged, this, &ImagesPage::applyFilter);
    return combo;
  };
  detector_ = box("imagesDetector", tr("Show the pairs of this detector"));
  attack_ = box("imagesAttack", tr("Show the pairs of this attack"));
  dataset_ = box("imagesDataset", tr("Show the pairs of this set"));
  auto* filters = new QGridLayout;
  filters->setHorizontalSpacing(8);
  filters->setVerticalSpacing(6);
  filters->addWidget(fieldLabel(tr("&Detector"), detector_, panel), 0, 0);
  filters->addWidget(detector_, 0, 1);
  filters->addWidget(fieldLabel(tr("&Attack"), attack_, panel), 1, 0);
  filters->addWidget(attack_, 1, 1);
  filters->addWidget(fieldLabel(tr("&Set"), dataset_, panel), 2, 0);
  filters->addWidget(dataset_, 2, 1);
  filters->setColumnStretch(1, 1);
  panel->body()->addLayout(filters);
  onlySelected_ = new QCheckBox(tr("Only &selected samples"), panel);
  onlySelected_->setObjectName(QStringLiteral("imagesOnlySelected"));
  onlySelected_->setToolTip(tr("Samples selected here or in the plots of the Results page"));
  connect(onlySelected_, &QCheckBox::toggled, this, &ImagesPage::applyFilter);
  panel->body()->addWidget(onlySelected_);

  list_ = new QListView(panel);
  list_->setObjectName(QStringLiteral("imagesList"));
  list_->setAccessibleName(tr("Image pairs"));
  list_->setModel(filter_);
  list_->setItemDelegate(new ImagePairDelegate(list_));
  list_->setViewMode(QListView::IconMode);
  list_->setMovement(QListView::Static);
  list_->setResizeMode(QListView::Adjust);
  list_->setUniformItemSizes(true);
  list_->setSpacing(2);
  list_->setSelectionMode(QAbstractItemView::ExtendedSelection);
  list_->setVerticalScrollMode(QAbstractItemView::ScrollPerPixel);
  list_->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
  list_->installEventFilter(this);
  connect(list_->selectionModel(), &QItemSelectionModel::currentChanged, this,
          &ImagesPage::loadPair);
  // One thumbnail is looked at; several become the selection of the window.
  connect(list_->selectionModel(), &QItemSelectionModel::selectionChanged, this, [this] {
    const QModelIndexList chosen = list_->selectionModel()->selectedIndexes();
    if (chosen.size() < 2) return;
    SampleSet samples;
    for (const QModelIndex& index : chosen) {
      const ImagePair& pair = filter_->pair(index);
      samples.insert({QString::fromStdString(pair.dataset), pair.out}, pair.sample);
    }
    context_.selection->commit(samples, tr("Select images"));
  });
  panel->body()->addWidget(list_, 1);
  panel->setMinimumWidth(230);
  return panel;
}

QWidget* ImagesPage::buildViewer() {
  viewer_ = new QWidget(this);
  auto* images = new Panel({}, viewer_);
  auto* row = new QGridLayout;
  row->setHorizontalSpacing(16);
  row->setVerticalSpacing(4);
  const char* names[] = {"imageBefore", "imageAfter", "imageDifference"};
  const QString titles[] = {tr("Before"), tr("After"), tr("Change, enlarged")};
  for (int i = 0; i < 3; ++i) {
    captions_[i] = new ElidedLabel({}, images);
    captions_[i]->setObjectName(QLatin1String(names[i]) + QStringLiteral("Caption"));
    captions_[i]->setProperty("role", "muted");
    views_[i] = new ImageView(images);
    views_[i]->setObjectName(QLatin1String(names[i]));
    views_[i]->setAccessibleName(titles[i]);
    views_[i]->installEventFilter(this);
    row->addWidget(roleLabel(titles[i], "heading", images), 0, i);
    row->addWidget(captions_[i], 1, i);
    row->addWidget(views_[i], 2, i);
    row->setColumnStretch(i, 1);
  }
  row->setRowStretch(2, 1);
  for (ImageView* from : views_) {
    for (ImageView* to : views_) {
      if (from != to) connect(from, &ImageView::viewChanged, to, &ImageView::setView);
    }
  }
  images->body()->addLayout(row, 1);

  const auto slider = [&](const char* name, const QString& help) {
    auto* made = new QSlider(Qt::Horizontal, images);
    made->setObjectName(QLatin1String(name));
    made->setToolTip(help);
    made->setPageStep(1);
    made->setTickPosition(QSlider::TicksBelow);
    made->setTickInterval(1);
    return made;
  };
  step_ = slider("imagesStep", tr("Step of the attack whose image is shown"));
  gain_ = slider("imagesGain", tr("How many times the difference is enlarged"));
  gain_->setRange(0, int(std::size(kGains)) - 1);
  gain_->setValue(3);
  gain_->setMaximumWidth(160);
  stepText_ = new QLabel(images);
  stepText_->setObjectName(QStringLiteral("imagesStepText"));
  stepText_->setMinimumWidth(stepText_->fontMetrics().averageCharWidth() * 18);
  gainText_ = new QLabel(images);
  gainText_->setMinimumWidth(gainText_->fontMetrics().averageCharWidth() * 6);
  blink_ = new QPushButton(tr("Blink"), images);
  blink_->setObjectName(QStringLiteral("imagesBlink"));
  blink_->setCheckable(true);
  blink_->setToolTip(tr("Show the image before in the place of the image after (Space)"));
  connect(step_, &QSlider::valueChanged, this, &ImagesPage::showStep);
  connect(gain_, &QSlider::valueChanged, this, &ImagesPage::showStep);
  connect(blink_, &QPushButton::clicked, this, &ImagesPage::toggleBlink);
  auto* controls = new QHBoxLayout;
  controls->setSpacing(8);
  controls->addWidget(fieldLabel(tr("S&tep"), step_, images));
  controls->addWidget(step_, 1);
  controls->addWidget(stepText_);
  controls->addSpacing(8);
  controls->addWidget(fieldLabel(tr("&Gain"), gain_, images));
  controls->addWidget(gain_);
  controls->addWidget(gainText_);
  controls->addWidget(blink_);
  images->body()->addLayout(controls);
  step_->installEventFilter(this);
  gain_->installEventFilter(this);

  auto* below = new Panel({}, viewer_);
  trace_ = new LinePlot(below);
  trace_->setObjectName(QStringLiteral("imagesTrace"));
  trace_->setTitle(tr("Score along the attack"));
  trace_->setAxisTitles(tr("step"), tr("anomaly score"));
  trace_->setEmptyText(tr("This attack kept no steps"));
  trace_->setFileStem(QStringLiteral("score-trace"));
  connectPlot(trace_, context_);
  below->body()->addWidget(trace_, 1);

  auto* split = new QSplitter(Qt::Vertical, viewer_);
  split->setObjectName(QStringLiteral("imagesViewerSplit"));
  split->setChildrenCollapsible(false);
  split->setHandleWidth(8);
  split->addWidget(images);
  split->addWidget(below);
  split->setStretchFactor(0, 3);
  split->setStretchFactor(1, 2);
  auto* layout = new QVBoxLayout(viewer_);
  layout->setContentsMargins(0, 0, 0, 0);
  layout->addWidget(split);
  return viewer_;
}

void ImagesPage::reload() {
  reloadLater_.stop();
  const quint64 request = ++listRequest_;
  const qint64 run = context_.focus->run();
  if (run == 0) {
    shownRun_ = 0;
    showPairs({});
    return;
  }
  context_.database->run(
      this, [run](RunStore& store) { return store.imagePairs(run, true); },
      [this, request, run](std::vector<ImagePair> pairs) {
        if (request != listRequest_) return;
        bool same = run == shownRun_ && int(pairs.size()) == model_->rowCount();
        for (std::size_t i = 0; same && i < pairs.size(); ++i) {
          same = pairs[i].id == model_->pair(int(i)).id;
        }
        shownRun_ = run;
        if (!same || pairs.empty()) showPairs(std::move(pairs));
      });
}

void ImagesPage::showPairs(std::vector<ImagePair> pairs) {
  ++pairRequest_;
  if (pairs.empty()) {
    if (shownRun_ == 0) {
      empty_->setText(tr("No run to show"),
                      tr("Images before and after an attack appear here, with what changed and how "
                         "the score went. Choose a run on the Compare page, or start one on the "
                         "Attack page."));
    } else {
      empty_->setText(tr("No image pairs in this run"),
                      tr("A run keeps some pairs of every attack it evaluates. This one has not "
                         "been attacked yet, or its option image_pairs was 0."));
    }
    model_->setPairs({});
    pair_ = {};
    stack_->setCurrentIndex(0);
    return;
  }
  QStringList detectors, attacks, datasets;
  const auto note = [](QStringList& list, const std::string& text) {
    const QString value = QString::fromStdString(text);
    if (!list.contains(value)) list += value;
  };
  for (const ImagePair& pair : pairs) {
    note(detectors, pair.detector);
    note(attacks, pair.attack);
    note(datasets, pair.dataset);
  }
  const auto fill = [](QComboBox* box, const QStringList& values, const QString& all) {
    fillChoices(box, all.isEmpty() ? values : QStringList{all} + values,
                all.isEmpty() ? values : QStringList{QString()} + values);
  };
  model_->setPairs(std::move(pairs));
  fill(detector_, detectors, {});
  fill(attack_, attacks, attacks.size() > 1 ? tr("all") : QString());
  fill(dataset_, datasets, tr("all"));
  attack_->setEnabled(attacks.size() > 1);
  stack_->setCurrentIndex(1);
  applyFilter();
}

void ImagesPage::applyFilter() {
  const qint64 before = pair_.id;
  filter_->setChoice(detector_->currentData().toString(), attack_->currentData().toString(),
                     dataset_->currentData().toString());
  filter_->setSelection(onlySelected_->isChecked() ? &context_.selection->current() : nullptr);
  count_->setText(
      tr("%1 of %2")
          .arg(QLocale().toString(filter_->rowCount()), QLocale().toString(model_->rowCount())));
  int row = 0;
  for (int i = 0; i < filter_->rowCount(); ++i) {
    if (filter_->pair(filter_->index(i, 0)).id == before) row = i;
  }
  const QModelIndex index = filter_->index(row, 0);
  viewer_->setEnabled(index.isValid());
  if (!index.isValid()) return;
  list_->selectionModel()->setCurrentIndex(index, QItemSelectionModel::ClearAndSelect);
  if (filter_->pair(index).id != pair_.id) loadPair(index);
}

void ImagesPage::loadPair(const QModelIndex& index) {
  if (!index.isValid()) return;
  const qint64 id = filter_->pair(index).id;
  const quint64 request = ++pairRequest_;
  context_.database->run(
      this, [id](RunStore& store) { return store.imagePair(id); },
      [this, request](ImagePair pair) {
        if (request == pairRequest_) showPair(std::move(pair));
      });
}

void ImagesPage::showPair(ImagePair pair) {
  pair_ = std::move(pair);
  const QString label =
      pair_.label >= 0 ? tr(", class %1").arg(QString::number(pair_.label)) : QString();
  name_->setFullText(tr("%1 (%2), sample %3%4:  %5 under %6,  score %7 → %8")
                         .arg(QString::fromStdString(pair_.dataset),
                              pair_.out ? tr("out") : tr("in"), QString::number(pair_.sample),
                              label, QString::fromStdString(pair_.detector),
                              QString::fromStdString(pair_.attack), number(pair_.scoreBefore),
                              number(pair_.scoreAfter)));
  const int steps = int(pair_.stepNumbers.size());
  {
    // 0: before; then the kept steps; last: the best point, which is what was scored.
    const QSignalBlocker quiet(step_);
    step_->setRange(0, steps + 1);
    step_->setValue(steps + 1);
  }
  trace_->clearSeries();
  if (steps > 0) {
    QVector<double> x = {0}, y = {pair_.scoreBefore};
    for (int i = 0; i < steps; ++i) {
      x.append(double(pair_.stepNumbers[std::size_t(i)]));
      y.append(pair_.stepScores[std::size_t(i)]);
    }
    trace_->setSeries(tr("score at the step"), x, y);
  }
  showStep();
  Q_EMIT shown(pair_.id);
}

std::span<const float> ImagesPage::stepPixels(int position) const {
  if (position <= 0) return pair_.before;
  if (position > int(pair_.stepNumbers.size())) return pair_.after;
  const std::size_t size = pair_.before.size();
  return std::span<const float>(pair_.steps).subspan(std::size_t(position - 1) * size, size);
}

double ImagesPage::stepScore(int position) const {
  if (position <= 0) return pair_.scoreBefore;
  if (position > int(pair_.stepNumbers.size())) return pair_.scoreAfter;
  return pair_.stepScores[std::size_t(position - 1)];
}

QString ImagesPage::stepName(int position) const {
  if (position <= 0) return tr("not attacked");
  if (position > int(pair_.stepNumbers.size())) return tr("best point");
  return tr("step %1 of %2")
      .arg(QString::number(pair_.stepNumbers[std::size_t(position - 1)]),
           QString::number(pair_.stepNumbers.back()));
}

void ImagesPage::showStep() {
  if (pair_.id == 0) return;
  const int position = step_->value();
  const double gain = kGains[gain_->value()];
  const std::span<const float> now = stepPixels(position);
  const QImage before = toImage(pair_.before, pair_.channels, pair_.height, pair_.width);
  const QImage after = toImage(now, pair_.channels, pair_.height, pair_.width);
  const ChangeNorms norms = changeNorms(pair_.before, now);
  views_[0]->setImage(before);
  views_[1]->setImage(blinking_ ? before : after);
  views_[2]->setImage(
      differenceImage(pair_.before, now, gain, pair_.channels, pair_.height, pair_.width));
  captions_[0]->setFullText(tr("score %1").arg(number(pair_.scoreBefore)));
  captions_[1]->setFullText(
      blinking_ ? tr("blink: before, score %1").arg(number(stepScore(0)))
                : tr("%1, score %2").arg(stepName(position), number(stepScore(position))));
  captions_[2]->setFullText(
      tr("l∞ %1/255, l2 %2")
          .arg(QLocale().toString(255 * norms.linf, 'f', 1), number(norms.l2, 3)));
  for (int i = 0; i < 3; ++i) views_[i]->setAccessibleDescription(captions_[i]->fullText());
  stepText_->setText(stepName(position));
  gainText_->setText(QStringLiteral("× %1").arg(gain));
  if (trace_->isEmpty() || position > int(pair_.stepNumbers.size())) {
    trace_->clearMarker();
  } else {
    trace_->setMarker(position == 0 ? 0 : double(pair_.stepNumbers[std::size_t(position - 1)]));
  }
}

void ImagesPage::toggleBlink() {
  blinking_ = !blinking_;
  blink_->setChecked(blinking_);
  showStep();
}

bool ImagesPage::eventFilter(QObject* watched, QEvent* event) {
  if (event->type() == QEvent::KeyPress) {
    auto* key = static_cast<QKeyEvent*>(event);
    if (key->key() == Qt::Key_Space && key->modifiers() == Qt::NoModifier) {
      if (!key->isAutoRepeat()) toggleBlink();
      return true;
    }
  }
  return QWidget::eventFilter(watched, event);
}

}  // namespace bulwark
