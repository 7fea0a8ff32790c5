#pragma once

#include <QFrame>
#include <QLabel>
#include <QToolButton>
#include <vector>

#include "core/params/option.h"
#include "ui/params/param_editor.h"

class QGridLayout;

namespace bulwark {

/// A form made from a component's option declarations.
///
/// Each row: name, editor, unit, and a button that puts the default back while the value differs
/// from it. Help, range and source are in the tooltips; a wrong value is explained under its
/// field. A changed field stays visible at every level of detail.
class ParamForm : public QWidget {
  Q_OBJECT

 public:
  explicit ParamForm(QWidget* parent = nullptr);

  /// Replaces all fields; every value becomes its default.
  void setSchema(const OptionSchema& schema);
  void setDetail(Visibility detail);
  /// The layers of the network, offered where an option names some; kept for later schemas.
  void setLayers(const QStringList& layers);

  /// Every option's value; one that is wrong appears as it was typed, so that a check of the
  /// whole specification refuses it at its place.
  Json values() const;
  /// Only what differs from the defaults.
  Json changedValues() const;
  /// Fields not named take their defaults; unknown keys are ignored. Emits nothing.
  void setValues(const Json& values);
  bool isValid() const;
  /// Shows `text` under the field, e.g. what a check of the whole found; empty clears it.
  void setError(const std::string& key, const QString& text);
  /// Takes back what `setError` said.
  void clearErrors();
  bool hasField(const std::string& key) const;

 Q_SIGNALS:
  void changed();

 private:
  struct Field {
    Option option;
    QLabel* label;
    ParamEditor* editor;
    QToolButton* reset;
    QLabel* unit;
    QLabel* error;
    QWidget* cell;
    bool valid = true;
  };

  void addField(const Option& option, int row);
  void offerLayers(const Field& field);
  void review(Field& field);
  void showFields();

  QGridLayout* grid_;
  QLabel* nothing_;
  std::vector<Field> fields_;
  QStringList layers_;
  Visibility detail_ = Visibility::Normal;
};

/// The three buttons Simple, Normal, Expert that set the detail of one or more forms.
class DetailSwitch : public QFrame {
  Q_OBJECT

 public:
  explicit DetailSwitch(QWidget* parent = nullptr);
  Visibility detail() const { return detail_; }
  void setDetail(Visibility detail);

 Q_SIGNALS:
  void detailChanged(bulwark::Visibility detail);

 private:
  Visibility detail_ = Visibility::Normal;
};

}  // namespace bulwark
