#pragma once

#include <QComboBox>
#include <QLabel>
#include <vector>

#include "core/registry/component.h"
#include "ui/params/param_form.h"

namespace bulwark {

/// Chooses one of several components and sets its options. The choice is grouped by what an
/// adversary must know where the components' traits tell that.
class ComponentForm : public QWidget {
  Q_OBJECT

 public:
  /// `objectName` of the combo box; the fields are named by their keys.
  ComponentForm(std::vector<ComponentInfo> infos, const QString& objectName,
                QWidget* parent = nullptr);

  /// {"type": "knn", ...}: the type and what differs from its defaults.
  Json value() const;
  /// Accepts an object with "type" or just the name; a label is kept. Emits nothing.
  void setValue(const Json& value);
  void setDetail(Visibility detail) { form_->setDetail(detail); }
  ParamForm* form() const { return form_; }
  QComboBox* box() const { return box_; }

 Q_SIGNALS:
  void changed();

 private:
  void showType();
  void fillBox();

  std::vector<ComponentInfo> infos_;
  QComboBox* box_;
  QLabel* summary_;
  ParamForm* form_;
  Json label_;
};

}  // namespace bulwark
