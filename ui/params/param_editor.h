#pragma once

#include <QStringList>
#include <QWidget>

#include "core/params/option.h"

namespace bulwark {

/// The control for one option: makes the widget and converts between it and JSON.
class ParamEditor : public QObject {
  Q_OBJECT

 public:
  /// The editor that fits the option's type; its widget's objectName is the option's key.
  static ParamEditor* create(const Option& option, QWidget* parent);

  QWidget* widget() const { return widget_; }
  /// The value, or what was typed as a string when it cannot be read as one.
  virtual Json value() const = 0;
  /// Shows `value` without emitting `edited`.
  virtual void setValue(const Json& value) = 0;
  /// Words to choose from, for an editor that takes others, too.
  virtual void setOffered(const QStringList& words);

 Q_SIGNALS:
  void edited();

 protected:
  explicit ParamEditor(QWidget* parent) : QObject(parent) {}
  QWidget* widget_ = nullptr;
};

}  // namespace bulwark
