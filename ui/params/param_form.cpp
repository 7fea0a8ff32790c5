#include "ui/params/param_form.h"

#include <QAbstractButton>
#include <QButtonGroup>
#include <QGridLayout>
#include <QHBoxLayout>
#include <QPushButton>
#include <QStyle>
#include <algorithm>

#include "core/base/error.h"
#include "core/params/layer_option.h"
#include "core/params/params.h"
#include "ui/shell/icons.h"
#include "ui/widgets/panel.h"

namespace bulwark {

namespace {

constexpr int kUnitWidth = 64;  // pixels

/// "batch_size" -> "Batch size".
QString titleOf(const std::string& key) {
  QString title = QString::fromStdString(key).replace(QLatin1Char('_'), QLatin1Char(' '));
  if (!title.isEmpty()) title[0] = title[0].toUpper();
  return title;
}

QString tooltipOf(const Option& option) {
  const auto line = [](const QString& name, const std::string& text) {
    return text.empty()
               ? QString()
               : QStringLiteral("<br><span style='white-space:nowrap'><i>%1:</i> %2</span>")
                     .arg(name, QString::fromStdString(text).toHtmlEscaped());
  };
  return QStringLiteral("<p>%1</p>").arg(QString::fromStdString(option.help).toHtmlEscaped()) +
         QStringLiteral("<code>%1</code>").arg(QString::fromStdString(option.key)) +
         line(ParamForm::tr("allowed"), option.allowed()) +
         line(ParamForm::tr("unit"), layerWords(option) ? std::string() : option.unit) +
         line(ParamForm::tr("default"), option.defaultValue.is_string()
                                            ? option.defaultValue.get<std::string>()
                                            : option.defaultValue.dump()) +
         line(ParamForm::tr("source"), option.source);
}

}  // namespace

ParamForm::ParamForm(QWidget* parent) : QWidget(parent), grid_(new QGridLayout(this)) {
  grid_->setContentsMargins(0, 0, 0, 0);
  grid_->setHorizontalSpacing(12);
  grid_->setVerticalSpacing(6);
  grid_->setColumnStretch(1, 1);
  nothing_ = roleLabel(tr("Nothing to set here."), "muted", this);
  nothing_->setWordWrap(true);
  grid_->addWidget(nothing_, 0, 0, 1, 3);
}

void ParamForm::setSchema(const OptionSchema& schema) {
  for (auto& field : fields_) {
    delete field.editor;
    delete field.label;
    delete field.cell;
    delete field.reset;
  }
  fields_.clear();
  int row = 1;
  for (const auto& option : schema.options()) addField(option, row++);
  showFields();
}

void ParamForm::addField(const Option& option, int row) {
  Field field;
  field.option = option;
  field.label = new QLabel(titleOf(option.key), this);
  field.label->setToolTip(tooltipOf(option));
  field.cell = new QWidget(this);
  auto* column = new QVBoxLayout(field.cell);
  column->setContentsMargins(0, 0, 0, 0);
  column->setSpacing(2);
  auto* line = new QHBoxLayout;
  line->setSpacing(8);
  field.editor = ParamEditor::create(option, field.cell);
  QWidget* widget = field.editor->widget();
  widget->setToolTip(tooltipOf(option));
  widget->setAccessibleName(field.label->text());
  widget->setAccessibleDescription(QString::fromStdString(option.help));
  field.label->setBuddy(widget);
  const bool wide = option.type == OptionType::Text || option.type == OptionType::TextList ||
                    option.type == OptionType::IntList;
  if (!wide) widget->setMaximumWidth(180);
  line->addWidget(widget, wide ? 1 : 0, wide ? Qt::Alignment() : Qt::AlignTop);
  field.unit = roleLabel({}, "muted", field.cell);
  field.unit->setWordWrap(true);  // some say more than a page is wide
  line->addWidget(field.unit, wide ? 0 : 1);
  column->addLayout(line);
  field.error = roleLabel({}, "error");
  field.error->setObjectName(QString::fromStdString(option.key) + QStringLiteral(".error"));
  field.error->setWordWrap(true);
  field.error->hide();
  column->addWidget(field.error);
  field.reset = new QToolButton(this);
  field.reset->setObjectName(QString::fromStdString(option.key) + QStringLiteral(".reset"));
  field.reset->setProperty("flat", true);
  field.reset->setIcon(icon(QStringLiteral("reset")));
  field.reset->setIconSize(QSize(14, 14));
  field.reset->setFixedWidth(24);  // its room is kept beside every field
  field.reset->setToolTip(tr("Back to the default"));
  field.reset->setAccessibleName(tr("Reset %1").arg(field.label->text()));
  grid_->addWidget(field.label, row, 0, Qt::AlignTop | Qt::AlignLeft);
  grid_->addWidget(field.cell, row, 1);
  grid_->addWidget(field.reset, row, 2, Qt::AlignTop);
  // The name stands beside the first line of its field, also when an error is under it.
  field.label->setMinimumHeight(28);
  widget->setMinimumHeight(28);
  const std::size_t index = fields_.size();
  fields_.push_back(field);
  connect(field.editor, &ParamEditor::edited, this, [this, index] {
    review(fields_[index]);
    Q_EMIT changed();
  });
  connect(field.reset, &QToolButton::clicked, this, [this, index] {
    fields_[index].editor->setValue(fields_[index].option.defaultValue);
    review(fields_[index]);
    showFields();
    Q_EMIT changed();
  });
  offerLayers(field);
  review(fields_.back());
}

void ParamForm::offerLayers(const Field& field) {
  const auto words = layerWords(field.option);
  if (!words) return;
  QStringList offered;
  for (const auto& word : *words) offered << QString::fromStdString(word);
  // "auto" first, "logits" where they come in the network.
  const auto atEnd = std::find(offered.begin(), offered.end(), QStringLiteral("logits"));
  const auto at = static_cast<qsizetype>(atEnd - offered.begin());
  for (qsizetype i = 0; i < layers_.size(); ++i) offered.insert(at + i, layers_[i]);
  field.editor->setOffered(offered);
}

void ParamForm::setLayers(const QStringList& layers) {
  if (layers == layers_) return;
  layers_ = layers;
  for (const auto& field : fields_) offerLayers(field);
}

/// What a zero stands for, where the help says so: "length of a step; 0: 2.5 eps / steps".
static QString meaningOfZero(const Option& option) {
  const std::string::size_type at = option.help.find("; 0: ");
  return at == std::string::npos ? QString() : QString::fromStdString(option.help.substr(at + 5));
}

void ParamForm::review(Field& field) {
  QString problem;
  Json value = field.editor->value();
  try {
    value = Params::check(field.option, value, field.option.key);
  } catch (const Error& error) {
    problem = QString::fromStdString(error.problem());
    if (!error.hint().empty())
      problem += QStringLiteral("; ") + QString::fromStdString(error.hint());
  }
  field.valid = problem.isEmpty();
  const bool zero = field.valid && value.is_number() && value.get<double>() == 0.0;
  const QString meaning = zero ? meaningOfZero(field.option) : QString();
  const QString unit =
      layerWords(field.option) ? QString() : QString::fromStdString(field.option.unit);
  field.unit->setText(meaning.isEmpty() ? unit : tr("0 stands for %1").arg(meaning));
  // So wide that it does not become a column of single words.
  field.unit->setMinimumWidth(field.unit->text().isEmpty() ? 0 : kUnitWidth);
  field.error->setText(problem);
  field.error->setVisible(!problem.isEmpty());
  QWidget* widget = field.editor->widget();
  if (widget->property("invalid").toBool() == field.valid) {
    widget->setProperty("invalid", !field.valid);
    widget->style()->unpolish(widget);
    widget->style()->polish(widget);
  }
  const bool differs = !field.valid || value != field.option.defaultValue;
  field.reset->setVisible(differs && !field.cell->isHidden());
  QFont font = field.label->font();
  font.setBold(differs);
  field.label->setFont(font);
}

void ParamForm::showFields() {
  bool any = false;
  for (auto& field : fields_) {
    const bool differs = !field.valid || field.editor->value() != field.option.defaultValue;
    const bool shown = field.option.visibility <= detail_ || differs;
    field.label->setVisible(shown);
    field.cell->setVisible(shown);
    // Its room is kept beside a shown field only: a hidden row takes no height.
    auto policy = field.reset->sizePolicy();
    policy.setRetainSizeWhenHidden(shown);
    field.reset->setSizePolicy(policy);
    field.reset->setVisible(shown && differs);
    any = any || shown;
  }
  nothing_->setText(fields_.empty() ? tr("This one has no options.")
                                    : tr("Its options show at a higher level of detail."));
  nothing_->setVisible(!any);
}

void ParamForm::setDetail(Visibility detail) {
  detail_ = detail;
  showFields();
}

Json ParamForm::values() const {
  Json all = Json::object();
  for (const auto& field : fields_) all[field.option.key] = field.editor->value();
  return all;
}

Json ParamForm::changedValues() const {
  Json some = Json::object();
  for (const auto& field : fields_) {
    const Json value = field.editor->value();
    if (value != field.option.defaultValue) some[field.option.key] = value;
  }
  return some;
}

void ParamForm::setValues(const Json& values) {
  for (auto& field : fields_) {
    const bool given = values.is_object() && values.contains(field.option.key);
    field.editor->setValue(given ? values.at(field.option.key) : field.option.defaultValue);
    review(field);
  }
  showFields();
}

bool ParamForm::isValid() const {
  return std::all_of(fields_.begin(), fields_.end(), [](const auto& f) { return f.valid; });
}

bool ParamForm::hasField(const std::string& key) const {
  return std::any_of(fields_.begin(), fields_.end(),
                     [&](const auto& field) { return field.option.key == key; });
}

void ParamForm::setError(const std::string& key, const QString& text) {
  for (auto& field : fields_) {
    if (field.option.key != key) continue;
    review(field);
    if (text.isEmpty() || !field.valid) continue;
    field.error->setText(text);
    field.error->show();
    field.label->show();
    field.cell->show();
  }
}

void ParamForm::clearErrors() {
  for (auto& field : fields_) review(field);
}

DetailSwitch::DetailSwitch(QWidget* parent) : QFrame(parent) {
  setObjectName(QStringLiteral("detailSwitch"));
  auto* row = new QHBoxLayout(this);
  row->setContentsMargins(0, 0, 0, 0);
  row->setSpacing(0);
  auto* group = new QButtonGroup(this);
  const std::pair<Visibility, QString> levels[] = {{Visibility::Simple, tr("Simple")},
                                                   {Visibility::Normal, tr("Normal")},
                                                   {Visibility::Expert, tr("Expert")}};
  for (const auto& [level, title] : levels) {
    auto* button = new QPushButton(title, this);
    button->setObjectName(QStringLiteral("detail%1").arg(static_cast<int>(level)));
    button->setCheckable(true);
    button->setProperty("segment", true);
    button->setToolTip(tr("How many options the forms show; changed ones always show"));
    button->setProperty("position", level == Visibility::Simple   ? "first"
                                    : level == Visibility::Expert ? "last"
                                                                  : "middle");
    group->addButton(button, static_cast<int>(level));
    row->addWidget(button);
  }
  group->button(static_cast<int>(detail_))->setChecked(true);
  connect(group, &QButtonGroup::idClicked, this,
          [this](int id) { setDetail(static_cast<Visibility>(id)); });
}

void DetailSwitch::setDetail(Visibility detail) {
  if (detail == detail_) return;
  detail_ = detail;
  auto* button = findChild<QPushButton*>(QStringLiteral("detail%1").arg(static_cast<int>(detail)));
  button->setChecked(true);
  Q_EMIT detailChanged(detail);
}

}  // namespace bulwark
