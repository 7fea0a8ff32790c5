#pragma once

#include <QFrame>
#include <QLabel>
#include <QPushButton>

class QHBoxLayout;
class QVBoxLayout;

namespace bulwark {

/// A rounded frame with a heading, an optional row of controls beside it, and a body.
class Panel : public QFrame {
  Q_OBJECT

 public:
  explicit Panel(const QString& title = {}, QWidget* parent = nullptr);
  QVBoxLayout* body() const { return body_; }
  /// Right of the title.
  QHBoxLayout* header() const { return header_; }
  void setTitle(const QString& title);

 private:
  QLabel* title_;
  QHBoxLayout* header_;
  QVBoxLayout* body_;
};

/// A label in one of the theme's roles: "title", "heading", "muted", "error", "warning", "badge".
QLabel* roleLabel(const QString& text, const char* role, QWidget* parent = nullptr);
/// Changes the role of a label that is already shown.
void setRole(QLabel* label, const char* role);
/// The one button of a page that does what the page is for.
QPushButton* primaryButton(const QString& text, const QString& objectName);

/// Fills a page that has nothing to show yet: what belongs here and the button that makes it so.
class EmptyState : public QWidget {
  Q_OBJECT

 public:
  /// `icon`: a name of `icon()`. No button when `action` is empty.
  EmptyState(const QString& icon, const QString& title, const QString& text, const QString& action,
             QWidget* parent = nullptr);
  void setText(const QString& title, const QString& text);
  QPushButton* button() const { return button_; }

 Q_SIGNALS:
  void actionTriggered();

 protected:
  void changeEvent(QEvent* event) override;

 private:
  void drawPicture();

  QString icon_;
  QLabel* picture_;
  QLabel* title_;
  QLabel* text_;
  QPushButton* button_ = nullptr;
};

}  // namespace bulwark
