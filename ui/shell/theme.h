#pragma once

#include <QObject>
#include <QPalette>
#include <QString>

namespace bulwark {

enum class Theme { System, Light, Dark };

/// "system", "light" or "dark", as the settings file has it.
QString themeName(Theme theme);
Theme themeFromName(const QString& name);

/// Gives the application its style, palette and style sheet. Widgets that paint themselves react
/// to QEvent::PaletteChange and read their colours from the palette.
class ThemeManager : public QObject {
  Q_OBJECT

 public:
  explicit ThemeManager(QObject* parent = nullptr);

  void apply(Theme theme);
  Theme theme() const { return theme_; }
  /// What is in force; for System, judged by the lightness of the desktop's palette.
  bool isDark() const { return dark_; }

  static QPalette palette(bool dark);
  static QString styleSheet(bool dark);

 Q_SIGNALS:
  void themeChanged();

 private:
  QPalette desktop_;
  Theme theme_ = Theme::System;
  bool dark_ = false;
  bool styled_ = false;
};

}  // namespace bulwark
