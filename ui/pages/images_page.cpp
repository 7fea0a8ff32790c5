#include "ui/pages/images_page.h"

#include <QButtonGroup>
#include <QCheckBox>
#include <QComboBox>
#include <QHBoxLayout>
#include <QItemSelectionModel>
#include <QKeyEvent>
#include <QLabel>
#include <QListView>
#include <QLocale>
#include <QPushButton>
#include <QSlider>
#include <QSplitter>
#include <QStackedWidget>
#include <QStyle>
#include <QVBoxLayout>
#include <algorithm>
#include <cmath>

#include "ui/bridge/database_service.h"
#include "ui/bridge/kept_pictures.h"
#include "ui/bridge/navigator.h"
#include "ui/bridge/run_focus.h"
#include "ui/bridge/selection_hub.h"
#include "ui/models/image_pair_model.h"
#include "ui/models/pixels.h"
#include "ui/pages/page_support.h"
#include "ui/pages/picture_panel.h"
#include "ui/pages/strip_panel.h"
#include "ui/plots/line_plot.h"
#include "ui/plots/strip_plot.h"
#include "ui/widgets/elided_label.h"
#include "ui/widgets/image_view.h"
#include "ui/widgets/panel.h"

namespace bulwark {

namespace {

constexpr int kReloadDelay = 800;  // ms

/// Rounds the right end of a row of buttons.
void markLast(QAbstractButton* button, bool last) {
  const char* position = last ? "last" : "middle";
  if (button->property("position").toString() == QLatin1String(position)) return;
  button->setProperty("position", position);
  button->style()->unpolish(button);
  button->style()->polish(button);
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
  QSizePolicy kept = name_->sizePolicy();
  kept.setRetainSizeWhenHidden(true);
  name_->setSizePolicy(kept);
  top->addWidget(name_, 1, Qt::AlignBottom);
  top->addWidget(buildSwitch(), 0, Qt::AlignBottom);
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
  missing_ = new ElidedLabel({}, content);
  missing_->setObjectName(QStringLiteral("imagesMissing"));
  missing_->setProperty("role", "warning");
  missing_->hide();
  column->addWidget(missing_);
  strips_ = new StripPanel(context_, content);
  connect(strips_, &StripPanel::detectorChanged, this, &ImagesPage::followSelection);
  parts_ = new QStackedWidget(content);
  parts_->setObjectName(QStringLiteral("imagesParts"));
  parts_->addWidget(split);
  parts_->addWidget(strips_);
  pictures_ = new PicturePanel(context_, content);
  parts_->addWidget(pictures_);
  column->addWidget(parts_, 1);

  empty_ = new EmptyState(QStringLiteral("images"), {}, {}, tr("Choose a run"), this);
  connect(empty_, &EmptyState::actionTriggered, this, [this] {
    if (context_.navigator) context_.navigator->showPage(PageId::Compare);
  });
  stack_ = fillPage(this, empty_, content);

  connect(context_.focus, &RunFocus::runChanged, this, &ImagesPage::reload);
  connect(context_.focus, &RunFocus::detectorChanged, this, &ImagesPage::followDetector);
  connect(detector_, &QComboBox::activated, this,
          [this] { context_.focus->setDetector(detector_->currentData().toString()); });
  reloadLater_.setSingleShot(true);
  reloadLater_.setInterval(kReloadDelay);
  connect(&reloadLater_, &QTimer::timeout, this, &ImagesPage::reload);
  connect(context_.focus, &RunFocus::contentChanged, this, [this] {
    if (!reloadLater_.isActive()) reloadLater_.start();
  });
  connect(context_.selection, &SelectionHub::changed, this, [this] {
    if (onlySelected_->isChecked()) applyFilter();
    followSelection();
  });
  reload();
}

void ImagesPage::reload() {
  reloadLater_.stop();
  const quint64 request = ++listRequest_;
  const qint64 run = context_.focus->run();
  if (run == 0) {
    shownRun_ = 0;
    picturesApply_ = false;
    pictures_->setRun(0);
    showPairs({});
    reloadStrips();
    return;
  }
  struct Loaded {
    std::vector<ImagePair> pairs;
    Json specification;
    bool pictures = false;
  };
  context_.database->run(
      this,
      [run](RunStore& store) {
        const auto record = store.findRun(run);
        return Loaded{store.imagePairs(run, true), record ? record->specification : Json(),
                      record && keepsPictures(store, *record)};
      },
      [this, request, run](Loaded loaded) {
        if (request != listRequest_) return;
        specification_ = std::move(loaded.specification);
        std::vector<ImagePair>& pairs = loaded.pairs;
        picturesApply_ = loaded.pictures;
        pictures_->setRun(loaded.pictures ? run : 0);
        bool same = run == shownRun_ && int(pairs.size()) == model_->rowCount();
        for (std::size_t i = 0; same && i < pairs.size(); ++i) {
          same = pairs[i].id == model_->pair(int(i)).id;
        }
        shownRun_ = run;
        if (!same || pairs.empty()) {
          showPairs(std::move(pairs));
        } else {
          refreshParts();
        }
      });
  reloadStrips();  // answered after the pairs
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
      empty_->setText(
          tr("This run kept no images"),
          tr("A run keeps some images of every attack it evaluates (image_pairs of the evaluation "
             "says how many; 0: none) and, with the detector svdd, clean ones, too (its option "
             "map_images). This one has not been attacked yet, or was not asked to."));
    }
    model_->setPairs({});
    pair_ = {};
    refreshParts();
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
  refreshParts();
  followDetector();
}

void ImagesPage::reloadStrips() {
  const quint64 request = ++stripRequest_;
  const qint64 run = context_.focus->run();
  const auto show = [this](StripSet strips) {
    stripsKnown_ = strips.signature;
    stripsApply_ = strips.applies;
    strips_->setStrips(std::move(strips));
    strips_->showDetector(context_.focus->detector());
    refreshParts();
  };
  if (run == 0) {
    show({});
    return;
  }
  context_.database->run(
      this,
      [run, known = stripsKnown_](RunStore& store) {
        return loadArtefacts<IterationStrips>(store, run, known, {"attractor"});
      },
      [this, request, show](std::optional<StripSet> strips) {
        if (request != stripRequest_ || !strips) return;
        show(std::move(*strips));
        followSelection();
      });
}

void ImagesPage::refreshParts() {
  const bool pairs = model_->rowCount() > 0;
  stack_->setCurrentIndex(pairs || stripsApply_ || picturesApply_ ? 1 : 0);
  switchBar_->setVisible(stripsApply_ || picturesApply_);
  switch_->button(Pairs)->setEnabled(pairs);
  switch_->button(Pairs)->setToolTip(
      pairs ? tr("Images before and after an attack")
            : tr("This run has no attacked images: it has not been attacked, or image_pairs of its "
                 "evaluation was 0"));
  for (const Part part : {Iterations, Basin}) switch_->button(part)->setVisible(stripsApply_);
  switch_->button(Pictures)->setVisible(picturesApply_);
  markLast(switch_->button(Basin), !picturesApply_);
  const bool applies[] = {pairs, stripsApply_, stripsApply_, picturesApply_};
  if (applies[part()]) return;
  showPart(pairs || !(stripsApply_ || picturesApply_) ? Pairs
           : stripsApply_                             ? Iterations
                                                      : Pictures);
}

void ImagesPage::showPart(Part part) {
  if ((part == Iterations || part == Basin) && !stripsApply_) return;
  if (part == Pictures && !picturesApply_) return;
  switch_->button(part)->setChecked(true);
  parts_->setCurrentIndex(part == Pairs ? 0 : part == Pictures ? 2 : 1);
  strips_->showBasin(part == Basin);
  name_->setVisible(part == Pairs);
  sayMissing();
}

ImagesPage::Part ImagesPage::part() const {
  return Part(switch_->checkedId());
}

// What the user looks at on one page is what this one opens with.
void ImagesPage::followDetector() {
  const int at = detector_->findData(context_.focus->detector());
  if (at >= 0 && at != detector_->currentIndex()) {
    detector_->setCurrentIndex(at);  // applies the filter
  } else {
    applyFilter();
  }
  strips_->showDetector(context_.focus->detector());
}

// A single sample that was selected, in a plot of the Results page for instance, is looked at.
void ImagesPage::followSelection() {
  sayMissing();
  const SampleSet& selected = context_.selection->committed();
  if (context_.selection->previewing() || selected.size() != 1) return;
  const auto& [side, indices] = *selected.sides().begin();
  const qint64 index = *indices.begin();
  strips_->showSample(side, index);
  const auto shows = [&](const ImagePair& pair) {
    return pair.sample == index && pair.out == side.out &&
           pair.dataset == side.dataset.toStdString();
  };
  if (pair_.id != 0 && shows(pair_)) return;
  for (int row = 0; row < filter_->rowCount(); ++row) {
    const QModelIndex at = filter_->index(row, 0);
    if (!shows(filter_->pair(at))) continue;
    list_->selectionModel()->setCurrentIndex(at, QItemSelectionModel::ClearAndSelect);
    return;
  }
}

// What is shown instead are other samples, so that it has to be said.
void ImagesPage::sayMissing() {
  const qint64 selected = context_.selection->committed().size();
  // The part with the clean images says it itself.
  const QString text = selected == 0 || part() == Pictures ? QString()
                       : selected == 1                     ? missingSample()
                                                           : missingPairs();
  missing_->setFullText(text);
  missing_->setVisible(!text.isEmpty());
}

QString ImagesPage::missingSample() const {
  const auto& [side, indices] = *context_.selection->committed().sides().begin();
  std::set<qint64> kept;
  if (part() == Pairs) {
    kept = keptPairs(side);
  } else {
    if (strips_->strip()->isEmpty()) return {};  // where there is nothing at all the page says why
    kept = strips_->kept(side);
  }
  const qint64 sample = *indices.begin();
  if (kept.contains(sample)) return {};
  QStringList numbers;
  for (const qint64 one : kept) numbers += QString::number(one);
  constexpr qsizetype kMost = 12;
  if (numbers.size() > kMost) {
    numbers = numbers.first(kMost);
    numbers += QStringLiteral("…");
  }
  const QString name =
      tr("Sample %1 of %2 (%3), which is selected, was not kept")
          .arg(QString::number(sample), side.dataset, side.out ? tr("out") : tr("in"));
  const QString text = numbers.isEmpty()
                           ? tr("%1; none of this set were").arg(name)
                           : tr("%1; kept are %2").arg(name, numbers.join(QStringLiteral(", ")));
  return text + elsewhere();
}

QString ImagesPage::missingPairs() const {
  if (part() != Pairs) return {};
  qint64 missing = 0;
  for (const auto& [side, indices] : context_.selection->committed().sides()) {
    const std::set<qint64> kept = keptPairs(side);
    missing += std::count_if(indices.begin(), indices.end(),
                             [&](qint64 sample) { return !kept.contains(sample); });
  }
  if (missing == 0) return {};
  return tr("%1 of the %2 selected samples were not kept; image_pairs of the evaluation says how "
            "many a run keeps of every attack")
             .arg(QLocale().toString(missing),
                  QLocale().toString(context_.selection->committed().size())) +
         elsewhere();
}

// Samples of that set of which there are pairs of the detector and attack chosen.
std::set<qint64> ImagesPage::keptPairs(const SampleSide& side) const {
  const std::string detector = detector_->currentData().toString().toStdString();
  const std::string attack = attack_->currentData().toString().toStdString();
  std::set<qint64> kept;
  for (int row = 0; row < model_->rowCount(); ++row) {
    const ImagePair& pair = model_->pair(row);
    if (pair.detector == detector && pair.out == side.out &&
        pair.dataset == side.dataset.toStdString() && (attack.empty() || pair.attack == attack)) {
      kept.insert(pair.sample);
    }
  }
  return kept;
}

QString ImagesPage::elsewhere() const {
  return picturesApply_ ? tr("; clean images are under Clean") : QString();
}

void ImagesPage::applyFilter() {
  sayMissing();
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
  if (!index.isValid()) {
    clearViewer();
    return;
  }
  list_->selectionModel()->setCurrentIndex(index, QItemSelectionModel::ClearAndSelect);
  if (filter_->pair(index).id != pair_.id) loadPair(index);
}

// Nothing rather than a pair that is not in the list.
void ImagesPage::clearViewer() {
  ++pairRequest_;
  pair_ = {};
  name_->setFullText({});
  for (int i = 0; i < 3; ++i) {
    views_[i]->setImage({});
    views_[i]->setAccessibleDescription({});
    captions_[i]->setFullText({});
  }
  stepText_->clear();
  trace_->clearSeries();
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
                              QString::fromStdString(pair_.attack), score(pair_.scoreBefore),
                              score(pair_.scoreAfter)));
  const int steps = int(pair_.stepNumbers.size());
  {
    // 0: before; then the kept steps; last: the best or last point, which is what was scored.
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

QString ImagesPage::score(double value) const {
  return scoreText(value, std::max(std::abs(pair_.scoreBefore), std::abs(pair_.scoreAfter)), 4);
}

// What the attack of the pair hands on: its last point, or the best one for the attacker.
bool ImagesPage::keepsLast() const {
  if (!specification_.is_object()) return false;
  const auto attacks = specification_.find("attacks");
  if (attacks == specification_.end() || !attacks->is_array()) return false;
  for (const Json& attack : *attacks) {
    if (!attack.is_object()) continue;
    const Json label = attack.value("label", attack.value("type", Json()));
    if (label == Json(pair_.attack)) return attack.value("keep", Json()) == Json("last");
  }
  return false;
}

QString ImagesPage::stepName(int position) const {
  if (position <= 0) return tr("not attacked");
  if (position > int(pair_.stepNumbers.size())) {
    return keepsLast() ? tr("last point") : tr("best point");
  }
  return tr("step %1 of %2")
      .arg(QString::number(pair_.stepNumbers[std::size_t(position - 1)]),
           QString::number(pair_.stepNumbers.back()));
}

void ImagesPage::showStep() {
  if (pair_.id == 0) return;
  const int position = step_->value();
  const double gain = gains[gain_->value()];
  const std::span<const float> now = stepPixels(position);
  const QImage before = toImage(pair_.before, pair_.channels, pair_.height, pair_.width);
  const QImage after = toImage(now, pair_.channels, pair_.height, pair_.width);
  const ChangeNorms norms = changeNorms(pair_.before, now);
  views_[0]->setImage(before);
  views_[1]->setImage(blinking_ ? before : after);
  views_[2]->setImage(
      differenceImage(pair_.before, now, gain, pair_.channels, pair_.height, pair_.width));
  captions_[0]->setFullText(tr("score %1").arg(score(pair_.scoreBefore)));
  captions_[1]->setFullText(
      blinking_ ? tr("blink: before, score %1").arg(score(stepScore(0)))
                : tr("%1, score %2").arg(stepName(position), score(stepScore(position))));
  captions_[2]->setFullText(
      tr("l∞ %1/255, l2 %2")
          .arg(QLocale().toString(255 * norms.linf, 'f', 1), QLocale().toString(norms.l2, 'g', 3)));
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
