#include "ui/widgets/panel.h"

#include <QEvent>
#include <QHBoxLayout>
#include <QStyle>
#include <QVBoxLayout>

#include "ui/shell/icons.h"

namespace bulwark {

Panel::Panel(const QString& title, QWidget* parent) : QFrame(parent) {
  setProperty("panel", true);
  auto* outer = new QVBoxLayout(this);
  outer->setContentsMargins(12, 8, 12, 12);
  outer->setSpacing(8);
  header_ = new QHBoxLayout;
  header_->setSpacing(8);
  title_ = roleLabel(title, "heading", this);
  title_->setVisible(!title.isEmpty());
  header_->addWidget(title_);
  header_->addStretch(1);
  outer->addLayout(header_);
  body_ = new QVBoxLayout;
  body_->setSpacing(8);
  outer->addLayout(body_, 1);
}

void Panel::setTitle(const QString& title) {
  title_->setText(title);
  title_->setVisible(!title.isEmpty());
}

QLabel* roleLabel(const QString& text, const char* role, QWidget* parent) {
  auto* label = new QLabel(text, parent);
  label->setProperty("role", role);
  return label;
}

void setRole(QLabel* label, const char* role) {
  label->setProperty("role", role);
  label->style()->unpolish(label);
  label->style()->polish(label);
}

QPushButton* primaryButton(const QString& text, const QString& objectName) {
  auto* button = new QPushButton(text);
  button->setObjectName(objectName);
  button->setProperty("primary", true);
  return button;
}

EmptyState::EmptyState(const QString& icon, const QString& title, const QString& text,
                       const QString& action, QWidget* parent)
    : QWidget(parent), icon_(icon) {
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(24, 24, 24, 24);
  layout->setSpacing(8);
  layout->addStretch(2);
  picture_ = new QLabel;
  picture_->setAlignment(Qt::AlignCenter);
  layout->addWidget(picture_);
  layout->addSpacing(8);
  title_ = roleLabel(title, "title");
  title_->setAlignment(Qt::AlignCenter);
  title_->setWordWrap(true);
  layout->addWidget(title_);
  text_ = roleLabel(text, "muted");
  text_->setAlignment(Qt::AlignHCenter | Qt::AlignTop);
  text_->setWordWrap(true);
  text_->setMinimumWidth(280);
  text_->setMaximumWidth(520);
  auto* row = new QHBoxLayout;
  row->addStretch(1);
  row->addWidget(text_, 100);
  row->addStretch(1);
  layout->addLayout(row);
  if (!action.isEmpty()) {
    button_ = primaryButton(action, QStringLiteral("emptyAction"));
    connect(button_, &QPushButton::clicked, this, &EmptyState::actionTriggered);
    layout->addSpacing(8);
    layout->addWidget(button_, 0, Qt::AlignHCenter);
  }
  layout->addStretch(3);
  drawPicture();
}

void EmptyState::setText(const QString& title, const QString& text) {
  title_->setText(title);
  text_->setText(text);
}

void EmptyState::changeEvent(QEvent* event) {
  if (event->type() == QEvent::PaletteChange) drawPicture();
  QWidget::changeEvent(event);
}

void EmptyState::drawPicture() {
  picture_->setPixmap(icon(icon_).pixmap(QSize(56, 56), devicePixelRatioF(), QIcon::Disabled));
}

}  // namespace bulwark
