#include "ui/pages/picture_panel.h"

#include <QCheckBox>
#include <QComboBox>
#include <QGridLayout>
#include <QHBoxLayout>
#include <QItemSelectionModel>
#include <QLabel>
#include <QListView>
#include <QLocale>
#include <QSplitter>
#include <QStackedWidget>
#include <QVBoxLayout>

#include "ui/bridge/database_service.h"
#include "ui/bridge/run_focus.h"
#include "ui/bridge/selection_hub.h"
#include "ui/models/class_map_text.h"
#include "ui/models/picture_model.h"
#include "ui/pages/page_support.h"
#include "ui/widgets/image_view.h"
#include "ui/widgets/panel.h"

namespace bulwark {

namespace {

constexpr std::size_t kMostNamed = 8;  // samples of a set that are named one by one

QString named(const SampleSet& samples) {
  QStringList sets;
  for (const auto& [side, indices] : samples.sides()) {
    QStringList numbers;
    for (const qint64 index : indices) {
      if (std::size_t(numbers.size()) == kMostNamed) {
        numbers += QStringLiteral("…");
        break;
      }
      numbers += QString::number(index);
    }
    sets += PicturePanel::tr("%1 (%2) %3")
                .arg(side.dataset, side.out ? PicturePanel::tr("out") : PicturePanel::tr("in"),
                     numbers.join(QStringLiteral(", ")));
  }
  return sets.join(QStringLiteral("; "));
}

QString keyOf(const ClassMap::Set& set) {
  return QString::fromStdString(set.role) + u' ' + QString::fromStdString(set.name);
}

}  // namespace

PicturePanel::PicturePanel(const AppContext& context, QWidget* parent)
    : QWidget(parent), context_(context), model_(new PictureModel(this)) {
  setObjectName(QStringLiteral("picturePanel"));
  auto* content = new QWidget(this);
  missing_ = roleLabel({}, "warning", content);
  missing_->setObjectName(QStringLiteral("picturesMissing"));
  missing_->setWordWrap(true);
  missing_->hide();
  auto* split = new QSplitter(Qt::Horizontal, content);
  split->setObjectName(QStringLiteral("picturesSplit"));
  split->setChildrenCollapsible(false);
  split->setHandleWidth(8);
  split->addWidget(buildList());
  split->addWidget(buildViewer());
  split->setStretchFactor(0, 3);
  split->setStretchFactor(1, 2);
  auto* column = new QVBoxLayout(content);
  column->setContentsMargins(0, 0, 0, 0);
  column->setSpacing(8);
  column->addWidget(missing_);
  column->addWidget(split, 1);
  empty_ = new EmptyState(QStringLiteral("images"), {}, {}, {}, this);
  stack_ = fillPage(this, empty_, content);
  connect(context_.selection, &SelectionHub::changed, this, [this] {
    if (isVisible()) fill();
  });
  connect(context_.focus, &RunFocus::detectorChanged, this, [this] {
    if (isVisible()) load();
  });
  showEmpty();
}

QWidget* PicturePanel::buildList() {
  auto* panel = new Panel(tr("Clean images"), this);
  count_ = roleLabel({}, "muted", panel);
  count_->setObjectName(QStringLiteral("picturesCount"));
  panel->header()->addWidget(count_);
  set_ = new QComboBox(panel);
  set_->setObjectName(QStringLiteral("picturesSet"));
  set_->setToolTip(tr("Show the images of this set"));
  set_->setMinimumContentsLength(12);
  connect(set_, &QComboBox::currentIndexChanged, this, &PicturePanel::fill);
  onlySelected_ = new QCheckBox(tr("Only &selected samples"), panel);
  onlySelected_->setObjectName(QStringLiteral("picturesOnlySelected"));
  onlySelected_->setToolTip(tr("Samples selected in the plots of the Results page"));
  onlySelected_->setChecked(true);
  connect(onlySelected_, &QCheckBox::toggled, this, &PicturePanel::fill);
  auto* filters = new QHBoxLayout;
  filters->setSpacing(8);
  filters->addWidget(fieldLabel(tr("&Set"), set_, panel));
  filters->addWidget(set_);
  filters->addSpacing(8);
  filters->addWidget(onlySelected_);
  filters->addStretch(1);
  panel->body()->addLayout(filters);
  list_ = new QListView(panel);
  list_->setObjectName(QStringLiteral("picturesList"));
  list_->setAccessibleName(tr("Clean images"));
  list_->setModel(model_);
  list_->setViewMode(QListView::IconMode);
  list_->setMovement(QListView::Static);
  list_->setResizeMode(QListView::Adjust);
  list_->setUniformItemSizes(true);
  list_->setIconSize({PictureModel::side, PictureModel::side});
  list_->setGridSize({PictureModel::side + 24, PictureModel::side + fontMetrics().height() + 14});
  list_->setVerticalScrollMode(QAbstractItemView::ScrollPerPixel);
  list_->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
  connect(list_->selectionModel(), &QItemSelectionModel::currentChanged, this,
          &PicturePanel::showCurrent);
  none_ = roleLabel({}, "muted", panel);
  none_->setObjectName(QStringLiteral("picturesNone"));
  none_->setAlignment(Qt::AlignCenter);
  none_->setWordWrap(true);
  panel->body()->addWidget(none_, 1);
  panel->body()->addWidget(list_, 1);
  panel->setMinimumWidth(320);
  return panel;
}

QWidget* PicturePanel::buildViewer() {
  auto* panel = new Panel({}, this);
  name_ = roleLabel({}, "heading", panel);
  name_->setObjectName(QStringLiteral("pictureName"));
  details_ = new QLabel(panel);
  details_->setObjectName(QStringLiteral("pictureDetails"));
  for (QLabel* label : {name_, details_}) {
    label->setWordWrap(true);
    label->setTextInteractionFlags(Qt::TextSelectableByMouse);
  }
  view_ = new ImageView(panel);
  view_->setObjectName(QStringLiteral("pictureView"));
  view_->setAccessibleName(tr("Image"));
  panel->body()->addWidget(name_);
  panel->body()->addWidget(details_);
  panel->body()->addWidget(view_, 1);
  panel->setMinimumWidth(220);
  return panel;
}

void PicturePanel::setRun(qint64 run) {
  if (run != run_) {
    kept_ = {};
    run_ = run;
    model_->setScores({}, {});
    model_->setMap(nullptr);
    fill();
  }
  if (isVisible()) load();
}

void PicturePanel::showEvent(QShowEvent* event) {
  QWidget::showEvent(event);
  load();
}

int PicturePanel::shownSet() const {
  const QString key = set_->currentData().toString();
  for (std::size_t i = 0; kept_.map && i < kept_.map->sets.size(); ++i) {
    if (keyOf(kept_.map->sets[i]) == key) return int(i);
  }
  return -1;
}

void PicturePanel::load() {
  const quint64 request = ++request_;
  if (run_ == 0) return;
  struct Loaded {
    std::optional<KeptPictures> kept;
    PictureModel::Scores scores;
  };
  context_.database->run(
      this,
      [run = run_, known = kept_.signature,
       detector = context_.focus->detector().toStdString()](RunStore& store) {
        return Loaded{loadKeptPictures(store, run, known), loadCleanScores(store, run, detector)};
      },
      [this, request, detector = context_.focus->detector()](Loaded read) {
        if (request != request_) return;
        if (read.kept) {
          kept_ = std::move(*read.kept);
          const bool pictured = kept_.map && kept_.map->hasPictures();
          model_->setMap(pictured ? kept_.map : nullptr);
          QStringList names = {tr("all")}, keys = {QString()};
          if (kept_.map) {
            for (std::size_t i = 0; i < kept_.map->sets.size(); ++i) {
              const ClassMap::Set& set = kept_.map->sets[i];
              names += QStringLiteral("%1 (%2)").arg(QString::fromStdString(set.name),
                                                     QString::fromStdString(set.role));
              keys += keyOf(set);
            }
          }
          fillChoices(set_, names, keys);
        }
        model_->setScores(detector, std::move(read.scores));
        fill();
        showCurrent();
        Q_EMIT loaded();
      });
}

QString PicturePanel::missing() const {
  const SampleSet& selected = context_.selection->current();
  if (!kept_.map || selected.empty()) return {};
  const SampleSet lost = model_->missing(selected);
  if (lost.empty()) return {};
  const QLocale locale;
  QString text = selected.size() == 1 ? tr("The selected image was not kept (%1).").arg(named(lost))
                                      : tr("%1 of the %2 selected images were not kept (%3).")
                                            .arg(locale.toString(lost.size()),
                                                 locale.toString(selected.size()), named(lost));
  text += u' ';
  text += kept_.asked > 0
              ? tr("This run keeps %1 images of each out set and ten times as many of the in set; "
                   "the option map_images of its svdd says how many the next one keeps.")
                    .arg(locale.toString(kept_.asked))
              : tr("The option map_images of svdd says how many images of each out set, and ten "
                   "times as many of the in set, the next run keeps.");
  return text;
}

void PicturePanel::showEmpty() {
  if (!kept_.problem.isEmpty()) {
    empty_->setText(tr("The clean images cannot be read"), kept_.problem);
  } else if (kept_.signature.empty()) {
    empty_->setText(tr("Reading the clean images…"), {});
  } else if (kept_.map) {
    empty_->setText(tr("This run kept no pictures"),
                    tr("Its clean images together take too much room, so that only their positions "
                       "and scores were kept. With a smaller map_images of the detector svdd the "
                       "next run keeps the pictures of fewer."));
  } else if (!isFinal(kept_.state)) {
    empty_->setText(tr("No clean images yet"),
                    tr("The run is %1. They appear here by themselves as soon as the detector has "
                       "scored them.")
                        .arg(QString::fromStdString(toString(kept_.state))));
  } else {
    empty_->setText(
        tr("This run kept no clean images"),
        tr("The detector svdd keeps some while a run is executed, as many as its option map_images "
           "says (none where that is 0). To get them press \"Use this configuration\" in the "
           "inspector, see on the Attack page that map_images is above 0 and start the run once "
           "more; with the same seed its figures stay the same."));
  }
}

void PicturePanel::fill() {
  const bool any = kept_.map && kept_.map->hasPictures();
  stack_->setCurrentIndex(any ? 1 : 0);
  if (!any) {
    showEmpty();
    return;
  }
  const SampleSet& selected = context_.selection->current();
  onlySelected_->setEnabled(!selected.empty());
  const bool only = !selected.empty() && onlySelected_->isChecked();
  const QModelIndex before = list_->currentIndex();
  const int last = before.isValid() && before.row() < model_->rowCount()
                       ? int(model_->sample(before.row()))
                       : -1;
  model_->setFilter(only ? &selected : nullptr, shownSet());
  const QLocale locale;
  count_->setText(
      only ? tr("%1 of %2 selected")
                 .arg(locale.toString(model_->rowCount()), locale.toString(selected.size()))
           : tr("%1 of %2 kept")
                 .arg(locale.toString(model_->rowCount()), locale.toString(model_->kept())));
  const QString text = missing();
  missing_->setText(text);
  missing_->setVisible(!text.isEmpty());
  list_->setVisible(model_->rowCount() > 0);
  none_->setVisible(model_->rowCount() == 0);
  none_->setText(only ? tr("None of the selected images was kept") : tr("None of this set"));
  int row = 0;
  for (int i = 0; i < model_->rowCount(); ++i) {
    if (int(model_->sample(i)) == last) row = i;
  }
  list_->setCurrentIndex(model_->index(row));
  showCurrent();
}

void PicturePanel::showCurrent() {
  const QModelIndex at = list_->currentIndex();
  if (!at.isValid()) {
    view_->setImage({});
    name_->clear();
    details_->clear();
    return;
  }
  const QStringList lines = model_->lines(at.row());
  name_->setText(lines.first());
  details_->setText(lines.mid(1).join(u'\n'));
  view_->setImage(classMapPicture(*model_->map(), model_->sample(at.row())));
  view_->setAccessibleDescription(lines.join(QStringLiteral(", ")));
}

}  // namespace bulwark
