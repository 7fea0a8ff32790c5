#include "ui/shell/rail.h"

#include <QCoreApplication>
#include <QToolButton>
#include <QVBoxLayout>

#include "ui/shell/icons.h"

namespace bulwark {

const QList<PageInfo>& pageInfos() {
  const auto text = [](const char* source) {
    return QCoreApplication::translate("bulwark::Rail", source);
  };
  static const QList<PageInfo> infos = {
      {PageId::Data, QStringLiteral("data"), QStringLiteral("data"), text("Data"),
       text("Choose the in-distribution set and the out sets")},
      {PageId::Train, QStringLiteral("train"), QStringLiteral("train"), text("Train"),
       text("Set up the classifier and watch it train")},
      {PageId::Attack, QStringLiteral("attack"), QStringLiteral("attack"), text("Attack"),
       text("Choose detectors and attacks, and run")},
      {PageId::Results, QStringLiteral("results"), QStringLiteral("results"), text("Results"),
       text("Score histograms, ROC and PR curves, figures")},
      {PageId::Images, QStringLiteral("images"), QStringLiteral("images"), text("Images"),
       text("Images before and after the attack")},
      {PageId::Compare, QStringLiteral("compare"), QStringLiteral("compare"), text("Compare"),
       text("All runs side by side")},
      {PageId::Report, QStringLiteral("report"), QStringLiteral("report"), text("Report"),
       text("Tables and figures for a paper")},
  };
  return infos;
}

Rail::Rail(QWidget* parent) : QFrame(parent), buttons_(new QButtonGroup(this)) {
  setObjectName(QStringLiteral("rail"));
  setFixedWidth(84);
  auto* column = new QVBoxLayout(this);
  column->setContentsMargins(8, 12, 8, 12);
  column->setSpacing(4);
  int number = 1;
  for (const auto& info : pageInfos()) {
    auto* button = new QToolButton;
    button->setObjectName(QStringLiteral("rail_") + info.name);
    button->setIcon(icon(info.icon));
    button->setIconSize(QSize(24, 24));
    button->setText(info.title);
    button->setToolButtonStyle(Qt::ToolButtonTextUnderIcon);
    button->setCheckable(true);
    button->setFixedSize(68, 60);
    button->setToolTip(QStringLiteral("%1 (Ctrl+%2)").arg(info.tip).arg(number++));
    buttons_->addButton(button, static_cast<int>(info.id));
    column->addWidget(button);
  }
  column->addStretch(1);
  connect(buttons_, &QButtonGroup::idClicked, this,
          [this](int id) { Q_EMIT pageChosen(static_cast<PageId>(id)); });
}

void Rail::setCurrent(PageId page) {
  buttons_->button(static_cast<int>(page))->setChecked(true);
}

void Rail::setNone() {
  buttons_->setExclusive(false);
  for (auto* button : buttons_->buttons()) button->setChecked(false);
  buttons_->setExclusive(true);
}

}  // namespace bulwark
