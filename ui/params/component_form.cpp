#include "ui/params/component_form.h"

#include <QSignalBlocker>
#include <QVBoxLayout>

#include "ui/widgets/panel.h"

namespace bulwark {

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
  for (const auto& info : infos_) {
    box_->addItem(QString::fromStdString(info.title.empty() ? info.name : info.title),
                  QString::fromStdString(info.name));
  }
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

void ComponentForm::showType() {
  const int index = box_->currentIndex();
  if (index < 0 || index >= static_cast<int>(infos_.size())) return;
  const auto& info = infos_[static_cast<std::size_t>(index)];
  QString text = QString::fromStdString(info.summary);
  if (!info.reference.empty()) {
    text +=
        QStringLiteral(" <i>%1</i>").arg(QString::fromStdString(info.reference).toHtmlEscaped());
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
