#include "ui/params/component_form.h"

#include <QSignalBlocker>
#include <QStandardItemModel>
#include <QVBoxLayout>
#include <algorithm>

#include "ui/widgets/panel.h"

namespace bulwark {

namespace {

bool has(const ComponentInfo& info, const char* trait) {
  return std::find(info.traits.begin(), info.traits.end(), trait) != info.traits.end();
}

/// In the order in which they are listed. The first that fits counts.
QString groupOf(const ComponentInfo& info) {
  if (has(info, "control")) return ComponentForm::tr("Controls without an adversary");
  if (has(info, "minimum distance")) return ComponentForm::tr("Smallest change, with gradients");
  if (has(info, "ensemble")) return ComponentForm::tr("Several attacks in one");
  if (has(info, "white box")) return ComponentForm::tr("White box, with gradients");
  if (has(info, "black box")) return ComponentForm::tr("Black box, without gradients");
  return {};
}

}  // namespace

ComponentForm::ComponentForm(std::vector<ComponentInfo> infos, const QString& objectName,
                             QWidget* parent)
    : QWidget(parent),
      infos_(std::move(infos)),
      box_(new QComboBox),
      summary_(roleLabel({}, "muted")),
      form_(new ParamForm) {
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(0, 0, 0, 0);
  layout->setSpacing(8);
  box_->setObjectName(objectName);
  fillBox();
  box_->setFocusPolicy(Qt::StrongFocus);
  box_->setAccessibleName(tr("Kind"));
  // A long title must not widen the page.
  box_->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
  box_->setMinimumContentsLength(16);
  summary_->setWordWrap(true);
  layout->addWidget(box_);
  layout->addWidget(summary_);
  layout->addWidget(form_);
  connect(box_, &QComboBox::currentIndexChanged, this, [this] {
    label_ = Json();  // a label of the user's names the old choice
    showType();
    Q_EMIT changed();
  });
  connect(form_, &ParamForm::changed, this, &ComponentForm::changed);
  showType();
}

// A heading before each group; headings cannot be chosen. Without groups, a plain list.
void ComponentForm::fillBox() {
  std::vector<QString> groups;
  for (const auto& info : infos_) {
    const QString group = groupOf(info);
    if (std::find(groups.begin(), groups.end(), group) == groups.end()) groups.push_back(group);
  }
  auto* model = qobject_cast<QStandardItemModel*>(box_->model());
  for (const QString& group : groups) {
    if (groups.size() > 1) {
      box_->addItem(group.isEmpty() ? tr("Others") : group);
      QStandardItem* heading = model->item(box_->count() - 1);
      heading->setFlags(Qt::NoItemFlags);
      QFont bold = box_->font();
      bold.setBold(true);
      heading->setFont(bold);
    }
    for (const auto& info : infos_) {
      if (groupOf(info) != group) continue;
      const QString title = QString::fromStdString(info.title.empty() ? info.name : info.title);
      box_->addItem(title, QString::fromStdString(info.name));
      model->item(box_->count() - 1)->setToolTip(QString::fromStdString(info.summary));
    }
  }
  box_->setMaxVisibleItems(24);
  box_->setCurrentIndex(groups.size() > 1 ? 1 : 0);
}

void ComponentForm::showType() {
  const std::string name = box_->currentData().toString().toStdString();
  const auto found = std::find_if(infos_.begin(), infos_.end(),
                                  [&](const ComponentInfo& info) { return info.name == name; });
  if (found == infos_.end()) return;
  const ComponentInfo& info = *found;
  QString text = QString::fromStdString(info.summary);
  if (!info.reference.empty()) {
    text +=
        QStringLiteral(" <i>%1</i>").arg(QString::fromStdString(info.reference).toHtmlEscaped());
  }
  if (!info.traits.empty()) {
    QStringList traits;
    for (const auto& trait : info.traits) traits << QString::fromStdString(trait).toHtmlEscaped();
    text += QStringLiteral("<br>") + traits.join(QStringLiteral(" · "));
  }
  summary_->setText(text);
  form_->setSchema(info.options);
}

Json ComponentForm::value() const {
  Json value{{"type", box_->currentData().toString().toStdString()}};
  if (label_.is_string()) value["label"] = label_;
  const Json options = form_->changedValues();
  for (const auto& [key, option] : options.items()) value[key] = option;
  return value;
}

void ComponentForm::setValue(const Json& value) {
  const Json type = value.is_object() && value.contains("type") ? value.at("type") : value;
  if (!type.is_string()) return;
  const int index = box_->findData(QString::fromStdString(type.get<std::string>()));
  if (index < 0) return;
  const QSignalBlocker quiet(box_);
  if (index != box_->currentIndex()) {
    box_->setCurrentIndex(index);
    showType();
  }
  label_ = value.is_object() && value.contains("label") ? value.at("label") : Json();
  form_->setValues(value);
}

}  // namespace bulwark
