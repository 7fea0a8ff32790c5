#include "ui/pages/attack_page.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QListWidget>
#include <QPushButton>
#include <QRegularExpression>
#include <QScrollArea>
#include <QSettings>
#include <QSignalBlocker>
#include <QSplitter>
#include <QToolButton>
#include <QVBoxLayout>
#include <algorithm>

#include "core/experiment/network_layers.h"
#include "core/experiment/specification.h"
#include "ui/bridge/draft_checker.h"
#include "ui/bridge/experiment_draft.h"
#include "ui/pages/page_support.h"
#include "ui/params/component_form.h"
#include "ui/shell/icons.h"
#include "ui/widgets/form_scroll.h"
#include "ui/widgets/panel.h"
#include "ui/widgets/start_bar.h"

namespace bulwark {

namespace {

constexpr int rowHeight = 30;
constexpr int leastRows = 4;  // of the detectors, and of the options of one

/// "msp" and {"type": "msp"} mean the same.
Json asObject(const Json& component) {
  return component.is_string() ? Json{{"type", component}} : component;
}

std::string typeOf(const Json& component) {
  const Json object = asObject(component);
  const bool typed = object.is_object() && object.contains("type") && object.at("type").is_string();
  return typed ? object.at("type").get<std::string>() : std::string();
}

Json asObjects(const Json& list) {
  Json objects = Json::array();
  if (list.is_array()) {
    for (const Json& entry : list) objects.push_back(asObject(entry));
  }
  return objects;
}

QScrollArea* scrolled(QWidget* body) {
  auto* area = new FormScroll;
  area->setWidget(body);
  return area;
}

}  // namespace

AttackPage::AttackPage(const AppContext& context, QWidget* parent)
    : QWidget(parent), context_(context) {
  setObjectName(QStringLiteral("attackPage"));
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(16, 12, 16, 12);
  layout->setSpacing(12);
  auto* top = new QHBoxLayout;
  top->setSpacing(12);
  top->addWidget(pageTitle(tr("Attack"), this));
  top->addSpacing(12);
  name_ = new QLineEdit;
  name_->setObjectName(QStringLiteral("attackRunName"));
  name_->setToolTip(tr("The name of the run, as tables and their captions show it"));
  name_->setMinimumWidth(200);
  top->addWidget(fieldLabel(tr("&Name"), name_, this));
  top->addWidget(name_, 1);
  connect(name_, &QLineEdit::textEdited, this,
          [this](const QString& text) { context_.draft->setPart("/name", text.toStdString()); });
  detail_ = new DetailSwitch;
  top->addWidget(detail_);
  layout->addLayout(top);
  auto* splitter = new QSplitter;
  splitter->setHandleWidth(12);
  splitter->setChildrenCollapsible(false);
  splitter->addWidget(makeDetectors());
  auto* right = new QWidget;
  auto* column = new QVBoxLayout(right);
  column->setContentsMargins(0, 0, 4, 0);
  column->setSpacing(12);
  column->addWidget(makeAttacks());
  column->addWidget(makeEvaluation());
  column->addStretch(1);
  splitter->addWidget(scrolled(right));
  splitter->setSizes({440, 580});
  layout->addWidget(splitter, 1);
  layout->addWidget(new StartBar(context_, tr("Run")));

  connect(detail_, &DetailSwitch::detailChanged, this, [this](Visibility detail) {
    detectorForm_->setDetail(detail);
    evaluation_->setDetail(detail);
    for (auto* attack : attacks_) attack->setDetail(detail);
    context_.settings->setValue(QStringLiteral("forms/attackDetail"), static_cast<int>(detail));
  });
  const int stored =
      context_.settings
          ->value(QStringLiteral("forms/attackDetail"), static_cast<int>(Visibility::Normal))
          .toInt();
  detail_->setDetail(static_cast<Visibility>(qBound(0, stored, 2)));
  connect(context_.draft, &ExperimentDraft::changed, this, &AttackPage::showDraft);
  connect(context_.checker, &DraftChecker::checked, this, &AttackPage::showProblem);
  showDetectors();
  showAttacks();
  showDraft();
}

QWidget* AttackPage::makeDetectors() {
  auto* panel = new Panel(tr("Detectors"));
  panel->setMinimumWidth(240);
  auto* again = new QPushButton(icon(QStringLiteral("copy")), tr("Duplicate"));
  again->setObjectName(QStringLiteral("duplicateDetector"));
  again->setToolTip(tr("The same detector once more, with other options"));
  panel->header()->addWidget(again);
  detectors_ = new QListWidget;
  detectors_->setObjectName(QStringLiteral("detectorList"));
  detectors_->setAccessibleName(tr("Detectors"));
  detectors_->setSpacing(1);
  detectorText_ = roleLabel({}, "muted");
  detectorText_->setObjectName(QStringLiteral("detectorText"));
  detectorText_->setWordWrap(true);
  detectorForm_ = new ParamForm;
  detectorForm_->setObjectName(QStringLiteral("detectorForm"));
  auto* holder = new QWidget;
  auto* column = new QVBoxLayout(holder);
  column->setContentsMargins(0, 0, 4, 0);
  column->setSpacing(8);
  column->addWidget(detectorText_);
  column->addWidget(detectorForm_);
  column->addStretch(1);
  // Detectors are many and have many options: who needs more room for one takes it.
  auto* parts = new QSplitter(Qt::Vertical);
  parts->setObjectName(QStringLiteral("detectorParts"));
  parts->setHandleWidth(10);
  parts->setChildrenCollapsible(false);
  detectors_->setMinimumHeight(leastRows * (rowHeight + 2));
  parts->addWidget(detectors_);
  QScrollArea* options = scrolled(holder);
  options->setMinimumHeight(leastRows * (rowHeight + 2));
  parts->addWidget(options);
  parts->setStretchFactor(0, 2);
  parts->setStretchFactor(1, 3);
  parts->setSizes({200, 300});
  panel->body()->addWidget(parts, 1);
  connect(again, &QPushButton::clicked, this, &AttackPage::duplicateDetector);
  connect(detectors_, &QListWidget::currentRowChanged, this, &AttackPage::showDetector);
  connect(detectors_, &QListWidget::itemChanged, this, [this](QListWidgetItem* item) {
    const auto row = static_cast<std::size_t>(detectors_->row(item));
    if (row >= rows_.size()) return;
    rows_[row].used = item->checkState() == Qt::Checked;
    storeDetectors();
  });
  connect(detectorForm_, &ParamForm::changed, this, [this] {
    const int row = detectors_->currentRow();
    if (row < 0 || row >= static_cast<int>(rows_.size())) return;
    Json& value = rows_[static_cast<std::size_t>(row)].value;
    Json changed{{"type", typeOf(value)}};
    if (value.contains("label")) changed["label"] = value.at("label");
    const Json options = detectorForm_->changedValues();
    for (const auto& [key, option] : options.items()) changed[key] = option;
    value = changed;
    storeDetectors();
  });
  return panel;
}

QWidget* AttackPage::makeAttacks() {
  auto* panel = new Panel(tr("Attacks"));
  auto* add = new QPushButton(icon(QStringLiteral("add")), tr("Add attack"));
  add->setObjectName(QStringLiteral("addAttack"));
  panel->header()->addWidget(add);
  noAttack_ = roleLabel(tr("No attack: only the clean setting will be measured."), "muted");
  panel->body()->addWidget(noAttack_);
  attackCards_ = new QVBoxLayout;
  attackCards_->setSpacing(12);
  panel->body()->addLayout(attackCards_);
  connect(add, &QPushButton::clicked, this, [this] {
    const auto known = context_.registries->attacks.list();
    if (known.empty()) return;
    const bool pgd = context_.registries->attacks.contains("pgd");
    addAttack(Json{{"type", pgd ? std::string("pgd") : known.front().name}});
    storeAttacks();
  });
  return panel;
}

QWidget* AttackPage::makeEvaluation() {
  auto* panel = new Panel(tr("Evaluation"));
  evaluation_ = new ParamForm;
  evaluation_->setObjectName(QStringLiteral("evaluationForm"));
  evaluation_->setSchema(evaluationSchema());
  panel->body()->addWidget(evaluation_);
  connect(evaluation_, &ParamForm::changed, this, [this] {
    seenEvaluation_ = evaluation_->changedValues();
    // Limits of the health checks are edited elsewhere.
    const Json limits = context_.draft->part("/evaluation/health_thresholds");
    if (!limits.is_null()) seenEvaluation_["health_thresholds"] = limits;
    context_.draft->setPart("/evaluation", seenEvaluation_);
  });
  return panel;
}

void AttackPage::showDraft() {
  const ExperimentDraft& draft = *context_.draft;
  if (name_->text() != draft.name()) {
    name_->setText(draft.name());
    name_->setToolTip(draft.name());
    name_->setCursorPosition(0);  // a long name shows its beginning
  }
  showLayers();
  if (draft.part("/detectors") != seenDetectors_) showDetectors();
  if (draft.part("/attacks") != seenAttacks_) showAttacks();
  const Json evaluation = draft.part("/evaluation");
  if (evaluation == seenEvaluation_) return;
  seenEvaluation_ = evaluation;
  evaluation_->setValues(evaluation);
}

/// Those of the draft's network, for detectors that read layers of their choice.
void AttackPage::showLayers() {
  const Json network = context_.draft->part("/classifier/network");
  if (network == seenNetwork_) return;
  seenNetwork_ = network;
  QStringList layers;
  for (const auto& layer : networkLayers(network, *context_.registries)) {
    layers << QString::fromStdString(layer);
  }
  detectorForm_->setLayers(layers);
}

void AttackPage::showDetectors() {
  seenDetectors_ = context_.draft->part("/detectors");
  const Json chosen = asObjects(seenDetectors_);
  std::vector<DetectorRow> rows;
  for (const Json& entry : chosen) rows.push_back({entry, true});
  for (const auto& info : context_.registries->detectors.list()) {
    const bool there = std::any_of(rows.begin(), rows.end(),
                                   [&](const auto& row) { return typeOf(row.value) == info.name; });
    if (!there) rows.push_back({Json{{"type", info.name}}, false});
  }
  rows_ = std::move(rows);
  const int kept = std::max(0, detectors_->currentRow());
  {
    const QSignalBlocker quiet(detectors_);
    detectors_->clear();
    for (const auto& row : rows_) {
      const std::string type = typeOf(row.value);
      const bool known = context_.registries->detectors.contains(type);
      const ComponentInfo info =
          known ? context_.registries->detectors.info(type) : ComponentInfo{};
      QString text = QString::fromStdString(known && !info.title.empty() ? info.title : type);
      // Title and the short name that results and tables use.
      const bool labelled = row.value.contains("label") && row.value.at("label").is_string();
      const std::string name = labelled ? row.value.at("label").get<std::string>() : type;
      if (QString::fromStdString(name).compare(text, Qt::CaseInsensitive) != 0) {
        text += QStringLiteral("  ·  ") + QString::fromStdString(name);
      }
      auto* item = new QListWidgetItem(text, detectors_);
      item->setFlags(Qt::ItemIsEnabled | Qt::ItemIsSelectable | Qt::ItemIsUserCheckable);
      item->setCheckState(row.used ? Qt::Checked : Qt::Unchecked);
      item->setToolTip(QString::fromStdString(info.summary));
      item->setData(Qt::UserRole, QString::fromStdString(type));
      item->setSizeHint(QSize(0, rowHeight));
    }
    // As high as its lines; what is left belongs to the options below.
    detectors_->setMaximumHeight(detectors_->count() * (rowHeight + 2) + 8);
  }
  detectors_->setCurrentRow(std::min(kept, detectors_->count() - 1));
  showDetector();
}

void AttackPage::showDetector() {
  const int row = detectors_->currentRow();
  if (row < 0 || row >= static_cast<int>(rows_.size())) {
    detectorText_->clear();
    detectorForm_->setSchema({});
    return;
  }
  const Json& value = rows_[static_cast<std::size_t>(row)].value;
  const std::string type = typeOf(value);
  if (!context_.registries->detectors.contains(type)) {
    detectorText_->setText(tr("This program knows no detector of this name."));
    detectorForm_->setSchema({});
    return;
  }
  const ComponentInfo info = context_.registries->detectors.info(type);
  QString text = QString::fromStdString(info.summary).toHtmlEscaped();
  if (!info.reference.empty()) {
    text +=
        QStringLiteral("<br><i>%1</i>").arg(QString::fromStdString(info.reference).toHtmlEscaped());
  }
  if (!info.traits.empty()) {
    QStringList traits;
    for (const auto& trait : info.traits) traits << QString::fromStdString(trait).toHtmlEscaped();
    text += QStringLiteral("<br>") + traits.join(QStringLiteral(", "));
  }
  detectorText_->setText(text);
  detectorForm_->setSchema(info.options);
  detectorForm_->setValues(value);
}

Json AttackPage::detectorValues() const {
  Json list = Json::array();
  for (const auto& row : rows_) {
    if (row.used) list.push_back(row.value);
  }
  return list;
}

void AttackPage::storeDetectors() {
  seenDetectors_ = detectorValues();  // ours: nothing to show anew
  context_.draft->setPart("/detectors", seenDetectors_);
}

void AttackPage::duplicateDetector() {
  const int row = detectors_->currentRow();
  if (row < 0 || row >= static_cast<int>(rows_.size())) return;
  Json list = detectorValues();
  Json copy = rows_[static_cast<std::size_t>(row)].value;
  // Every detector of an experiment has a name of its own in the results.
  const auto taken = [&](const std::string& label) {
    return std::any_of(list.begin(), list.end(), [&](const Json& entry) {
      return entry.contains("label") && entry.at("label") == label;
    });
  };
  int number = 2;
  while (taken(typeOf(copy) + " " + std::to_string(number))) ++number;
  copy["label"] = typeOf(copy) + " " + std::to_string(number);
  list.push_back(copy);
  context_.draft->setPart("/detectors", list);
  detectors_->setCurrentRow(static_cast<int>(list.size()) - 1);
}

void AttackPage::showAttacks() {
  for (auto* card : cards_) {
    card->hide();
    card->deleteLater();
  }
  cards_.clear();
  attacks_.clear();
  seenAttacks_ = context_.draft->part("/attacks");
  const Json list = asObjects(seenAttacks_);
  for (const Json& entry : list) addAttack(entry);
  noAttack_->setVisible(attacks_.empty());
}

void AttackPage::addAttack(const Json& value) {
  auto* card = new QFrame;
  card->setProperty("panel", true);
  card->setObjectName(QStringLiteral("attackCard"));
  auto* row = new QHBoxLayout(card);
  row->setContentsMargins(12, 12, 8, 12);
  row->setSpacing(8);
  auto* form = new ComponentForm(context_.registries->attacks.list(), QStringLiteral("attackType"));
  form->setDetail(detail_->detail());
  form->setValue(value);
  row->addWidget(form, 1);
  auto* remove = new QToolButton;
  remove->setObjectName(QStringLiteral("removeAttack"));
  remove->setProperty("flat", true);
  remove->setIcon(icon(QStringLiteral("remove")));
  remove->setToolTip(tr("Remove this attack"));
  remove->setAccessibleName(tr("Remove this attack"));
  row->addWidget(remove, 0, Qt::AlignTop);
  attackCards_->addWidget(card);
  attacks_.push_back(form);
  cards_.push_back(card);
  noAttack_->hide();
  connect(form, &ComponentForm::changed, this, &AttackPage::storeAttacks);
  connect(remove, &QToolButton::clicked, this, [this, card, form] {
    std::erase(attacks_, form);
    std::erase(cards_, card);
    card->hide();
    card->deleteLater();
    noAttack_->setVisible(attacks_.empty());
    storeAttacks();
  });
}

Json AttackPage::attackValues() const {
  Json list = Json::array();
  for (const auto* attack : attacks_) list.push_back(attack->value());
  return list;
}

void AttackPage::storeAttacks() {
  seenAttacks_ = attackValues();
  context_.draft->setPart("/attacks", seenAttacks_);
}

void AttackPage::showProblem() {
  const DraftCheck& check = context_.checker->last();
  detectorForm_->clearErrors();
  evaluation_->clearErrors();
  for (auto* attack : attacks_) attack->form()->clearErrors();
  if (check.valid) return;
  static const QRegularExpression indexed(
      QStringLiteral("^(detectors|attacks)\\[(\\d+)\\]\\.(\\w+)$"));
  const auto match = indexed.match(check.where);
  if (match.hasMatch()) {
    const auto index = static_cast<std::size_t>(match.captured(2).toInt());
    const std::string key = match.captured(3).toStdString();
    if (match.captured(1) == QLatin1String("attacks")) {
      if (index < attacks_.size()) attacks_[index]->form()->setError(key, check.problem);
      return;
    }
    // The specification counts the detectors in use; the list shows the others as well.
    std::size_t used = 0;
    for (std::size_t row = 0; row < rows_.size(); ++row) {
      if (!rows_[row].used || used++ != index) continue;
      if (detectors_->currentRow() == static_cast<int>(row)) {
        detectorForm_->setError(key, check.problem);
      }
    }
  } else if (check.where.startsWith(QLatin1String("evaluation."))) {
    evaluation_->setError(check.where.mid(11).toStdString(), check.problem);
  }
}

}  // namespace bulwark
