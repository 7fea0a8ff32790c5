#pragma once

#include <QFrame>
#include <QLabel>
#include <QPushButton>

#include "ui/bridge/app_context.h"

namespace bulwark {

/// What stands between the draft and its run: the cost when it is valid, the problem when it is
/// not, and the button that starts it, which never starts an invalid one.
class StartBar : public QFrame {
  Q_OBJECT

 public:
  StartBar(const AppContext& context, const QString& buttonText, QWidget* parent = nullptr);
  QPushButton* button() const { return button_; }

 private:
  void show();
  void start();

  AppContext context_;
  QLabel* message_;
  QPushButton* button_;
};

}  // namespace bulwark
