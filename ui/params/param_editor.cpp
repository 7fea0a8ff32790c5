#include "ui/params/param_editor.h"

#include <QCheckBox>
#include <QComboBox>
#include <QEvent>
#include <QHBoxLayout>
#include <QLineEdit>
#include <QMenu>
#include <QSignalBlocker>
#include <QSpinBox>
#include <algorithm>
#include <cmath>

#include "core/base/text.h"
#include "core/params/layer_option.h"
#include "ui/shell/icons.h"
#include "ui/widgets/wheel_guard.h"

namespace bulwark {

namespace {

constexpr std::size_t kShortChoice = 12;  // letters, of which more than two columns fit a form

void guardWheel(QWidget* widget) {
  widget->setFocusPolicy(Qt::StrongFocus);
  widget->installEventFilter(new WheelGuard(widget));
}

QString textOf(const Json& value) {
  if (value.is_string()) return QString::fromStdString(value.get<std::string>());
  if (value.is_number_float()) return QString::fromStdString(formatNumber(value.get<double>()));
  return QString::fromStdString(value.dump());
}

class BoolEditor : public ParamEditor {
 public:
  BoolEditor(const Option&, QWidget* parent) : ParamEditor(parent), box_(new QCheckBox(parent)) {
    widget_ = box_;
    connect(box_, &QCheckBox::toggled, this, &ParamEditor::edited);
  }
  Json value() const override { return box_->isChecked(); }
  void setValue(const Json& value) override {
    const QSignalBlocker quiet(box_);
    box_->setChecked(value.is_boolean() && value.get<bool>());
  }

 private:
  QCheckBox* box_;
};

class IntEditor : public ParamEditor {
 public:
  IntEditor(const Option& option, QWidget* parent)
      : ParamEditor(parent), box_(new QSpinBox(parent)) {
    widget_ = box_;
    const auto bound = [](double value, int otherwise) {
      return std::isfinite(value) && std::abs(value) < 2e9 ? static_cast<int>(value) : otherwise;
    };
    const int least = bound(option.minimum, -2000000000);
    box_->setRange(option.minimumExclusive ? least + 1 : least, bound(option.maximum, 2000000000));
    box_->setGroupSeparatorShown(true);
    box_->setMinimumWidth(110);
    guardWheel(box_);
    connect(box_, &QSpinBox::valueChanged, this, &ParamEditor::edited);
  }
  Json value() const override { return box_->value(); }
  void setValue(const Json& value) override {
    const QSignalBlocker quiet(box_);
    if (value.is_number()) box_->setValue(static_cast<int>(value.get<double>()));
  }

 private:
  QSpinBox* box_;
};

/// Numbers (also "8/255"), texts and lists, all typed as text.
class LineEditor : public ParamEditor {
 public:
  LineEditor(const Option& option, QWidget* parent)
      : ParamEditor(parent), type_(option.type), line_(new QLineEdit(parent)) {
    widget_ = line_;
    if (type_ == OptionType::Float) line_->setMinimumWidth(110);
    if (type_ == OptionType::IntList) line_->setPlaceholderText(tr("e.g. 0, 1, 2"));
    if (type_ == OptionType::TextList) line_->setPlaceholderText(tr("separated by commas"));
    if (type_ == OptionType::Text) {
      // What an empty one stands for, where the help says so.
      const auto at = option.help.find("; empty: ");
      if (at != std::string::npos) {
        line_->setPlaceholderText(QString::fromStdString(option.help.substr(at + 9)));
      }
    }
    connect(line_, &QLineEdit::textEdited, this, &ParamEditor::edited);
  }

  Json value() const override {
    const std::string text = line_->text().trimmed().toStdString();
    switch (type_) {
      case OptionType::Float: {
        // A fraction stays as it was written: "8/255" says more than 0.03137.
        bool number = false;
        const double plain = line_->text().trimmed().toDouble(&number);
        return number ? Json(plain) : Json(text);
      }
      case OptionType::Int: {
        bool number = false;
        const qlonglong plain = line_->text().trimmed().toLongLong(&number);
        return number ? Json(plain) : Json(text);
      }
      case OptionType::TextList:
      case OptionType::IntList: {
        Json list = Json::array();
        for (const QString& part : line_->text().split(QLatin1Char(','), Qt::SkipEmptyParts)) {
          bool number = false;
          const qlonglong plain = part.trimmed().toLongLong(&number);
          if (type_ == OptionType::IntList && number) {
            list.push_back(plain);
          } else {
            list.push_back(part.trimmed().toStdString());
          }
        }
        return list;
      }
      default:
        return text;
    }
  }

  void setValue(const Json& value) override {
    QString text;
    if (value.is_array()) {
      QStringList parts;
      for (const Json& part : value) parts << textOf(part);
      text = parts.join(QStringLiteral(", "));
    } else if (!value.is_null()) {
      text = textOf(value);
    }
    if (text == line_->text()) return;
    line_->setText(text);
    line_->setCursorPosition(0);  // a long one shows its beginning
  }

 protected:
  QLineEdit* line() const { return line_; }

 private:
  OptionType type_;
  QLineEdit* line_;
};

/// A layer of the network: those it has in a list, others can be typed.
class LayerEditor : public ParamEditor {
 public:
  LayerEditor(const Option&, QWidget* parent) : ParamEditor(parent), box_(new QComboBox(parent)) {
    widget_ = box_;
    box_->setEditable(true);
    box_->setInsertPolicy(QComboBox::NoInsert);
    box_->setMaxVisibleItems(24);
    box_->setMinimumWidth(110);
    guardWheel(box_);
    connect(box_, &QComboBox::editTextChanged, this, &ParamEditor::edited);
  }
  Json value() const override { return box_->currentText().trimmed().toStdString(); }
  void setValue(const Json& value) override {
    const QSignalBlocker quiet(box_);
    const QString text = textOf(value);
    box_->setCurrentIndex(box_->findText(text));
    box_->setEditText(text);
  }
  void setOffered(const QStringList& words) override {
    const Json kept = value();
    const QSignalBlocker quiet(box_);
    box_->clear();
    box_->addItems(words);
    setValue(kept);
  }

 private:
  QComboBox* box_;
};

/// Layers of the network, typed or ticked in a menu.
class LayersEditor : public LineEditor {
 public:
  LayersEditor(const Option& option, QWidget* parent)
      : LineEditor(option, parent), menu_(new QMenu(line())) {
    menu_->setObjectName(QString::fromStdString(option.key) + QStringLiteral(".layers"));
    open_ = line()->addAction(icon(QStringLiteral("chevron")), QLineEdit::TrailingPosition);
    open_->setToolTip(tr("Choose layers of the network"));
    open_->setVisible(false);
    connect(open_, &QAction::triggered, this, [this] {
      tick();
      menu_->popup(line()->mapToGlobal(QPoint(0, line()->height())));
    });
  }
  void setOffered(const QStringList& words) override {
    menu_->clear();
    for (const QString& word : words) {
      QAction* action = menu_->addAction(word);
      action->setCheckable(true);
      connect(action, &QAction::triggered, this, [this, word](bool on) { choose(word, on); });
    }
    open_->setVisible(!words.isEmpty());
    tick();
  }

 private:
  void tick() {
    const Json chosen = value();
    for (QAction* action : menu_->actions()) {
      const Json word = action->text().toStdString();
      action->setChecked(std::find(chosen.begin(), chosen.end(), word) != chosen.end());
    }
  }
  void choose(const QString& word, bool on) {
    Json list = value();
    const Json name = word.toStdString();
    const auto found = std::find(list.begin(), list.end(), name);
    if (on && found == list.end()) list.push_back(name);
    if (!on && found != list.end()) list.erase(found);
    setValue(list);
    tick();
    Q_EMIT edited();
  }

  QMenu* menu_;
  QAction* open_ = nullptr;
};

class ChoiceEditor : public ParamEditor {
 public:
  ChoiceEditor(const Option& option, QWidget* parent)
      : ParamEditor(parent), box_(new QComboBox(parent)) {
    widget_ = box_;
    for (const auto& choice : option.choices) box_->addItem(QString::fromStdString(choice));
    box_->setMinimumWidth(110);
    guardWheel(box_);
    connect(box_, &QComboBox::currentIndexChanged, this, &ParamEditor::edited);
  }
  Json value() const override { return box_->currentText().toStdString(); }
  void setValue(const Json& value) override {
    const QSignalBlocker quiet(box_);
    const int index = box_->findText(textOf(value));
    if (index >= 0) box_->setCurrentIndex(index);
  }

 private:
  QComboBox* box_;
};

/// A list whose entries come from a fixed set: one check box each.
class SubsetEditor : public ParamEditor {
 public:
  SubsetEditor(const Option& option, QWidget* parent) : ParamEditor(parent) {
    widget_ = new QWidget(parent);
    auto* grid = new QGridLayout(widget_);
    grid->setContentsMargins(0, 5, 0, 0);  // the first line stands beside the label
    grid->setHorizontalSpacing(12);
    grid->setVerticalSpacing(4);
    const bool wordy =
        std::any_of(option.choices.begin(), option.choices.end(),
                    [](const std::string& choice) { return choice.size() > kShortChoice; });
    const int columns = wordy ? 2 : option.choices.size() == 4 ? 4 : 3;
    for (const auto& choice : option.choices) {
      auto* box = new QCheckBox(QString::fromStdString(choice), widget_);
      box->setObjectName(QString::fromStdString(option.key + "." + choice));
      const int index = static_cast<int>(boxes_.size());
      grid->addWidget(box, index / columns, index % columns);
      boxes_ << box;
      connect(box, &QCheckBox::toggled, this, &ParamEditor::edited);
    }
    grid->setColumnStretch(columns, 1);
  }
  Json value() const override {
    Json list = Json::array();
    for (const auto* box : boxes_) {
      if (box->isChecked()) list.push_back(box->text().toStdString());
    }
    return list;
  }
  void setValue(const Json& value) override {
    for (auto* box : boxes_) {
      const QSignalBlocker quiet(box);
      const Json name = box->text().toStdString();
      box->setChecked(value.is_array() &&
                      std::find(value.begin(), value.end(), name) != value.end());
    }
  }

 private:
  QList<QCheckBox*> boxes_;
};

}  // namespace

void ParamEditor::setOffered(const QStringList&) {}

ParamEditor* ParamEditor::create(const Option& option, QWidget* parent) {
  ParamEditor* editor = nullptr;
  const bool fits = std::abs(option.maximum) < 2e9 || std::isinf(option.maximum);
  if (option.type == OptionType::Bool) {
    editor = new BoolEditor(option, parent);
  } else if (option.type == OptionType::Int && fits) {
    editor = new IntEditor(option, parent);
  } else if (option.type == OptionType::Choice) {
    editor = new ChoiceEditor(option, parent);
  } else if (option.type == OptionType::TextList && !option.choices.empty()) {
    editor = new SubsetEditor(option, parent);
  } else if (layerWords(option) && option.type == OptionType::Text) {
    editor = new LayerEditor(option, parent);
  } else if (layerWords(option)) {
    editor = new LayersEditor(option, parent);
  } else {
    editor = new LineEditor(option, parent);
  }
  editor->widget()->setObjectName(QString::fromStdString(option.key));
  editor->setValue(option.defaultValue);
  return editor;
}

}  // namespace bulwark
