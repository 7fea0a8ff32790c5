#include "ui/shell/theme.h"

#include <QApplication>
#include <QProxyStyle>
#include <QStyleFactory>
#include <QTableView>

// A static library's resources are linked in only when somebody asks for them.
static void loadResources() {
  Q_INIT_RESOURCE(bulwark);
}

namespace bulwark {

namespace {

/// The few colours that everything is made of.
struct Colours {
  QColor window, base, raised, border, text, muted, accent, onAccent, hover;
};

Colours colours(bool dark) {
  if (dark) {
    return {QColor(0x1b1f26), QColor(0x14171c), QColor(0x262b34),
            QColor(0x363d49), QColor(0xe6e9ef), QColor(0x98a2b3),
            QColor(0x5a9cf8), QColor(0x0b1220), QColor(0x2d333e)};
  }
  return {QColor(0xf4f6f8), QColor(0xffffff), QColor(0xfdfdfe), QColor(0xd3d9e2), QColor(0x1d2430),
          QColor(0x5c6675), QColor(0x1f6feb), QColor(0xffffff), QColor(0xe6ebf2)};
}

/// Fusion with the text of a table's cells under that of its headers, whose padding is 8 pixels.
class BenchStyle : public QProxyStyle {
 public:
  BenchStyle() : QProxyStyle(QStyleFactory::create(QStringLiteral("Fusion"))) {
    setObjectName(QStringLiteral("bench"));
  }
  int pixelMetric(PixelMetric metric, const QStyleOption* option,
                  const QWidget* widget) const override {
    if (metric == PM_FocusFrameHMargin && qobject_cast<const QTableView*>(widget)) return 7;
    return QProxyStyle::pixelMetric(metric, option, widget);
  }
};

}  // namespace

QString themeName(Theme theme) {
  switch (theme) {
    case Theme::Light:
      return QStringLiteral("light");
    case Theme::Dark:
      return QStringLiteral("dark");
    case Theme::System:
      break;
  }
  return QStringLiteral("system");
}

Theme themeFromName(const QString& name) {
  if (name == QLatin1String("light")) return Theme::Light;
  if (name == QLatin1String("dark")) return Theme::Dark;
  return Theme::System;
}

ThemeManager::ThemeManager(QObject* parent) : QObject(parent), desktop_(QApplication::palette()) {
  loadResources();
}

void ThemeManager::apply(Theme theme) {
  theme_ = theme;
  dark_ = theme == Theme::Dark ||
          (theme == Theme::System && desktop_.color(QPalette::Window).lightness() < 128);
  if (!styled_) QApplication::setStyle(new BenchStyle);
  styled_ = true;
  QApplication::setPalette(palette(dark_));
  qApp->setStyleSheet(styleSheet(dark_));
  Q_EMIT themeChanged();
}

QPalette ThemeManager::palette(bool dark) {
  const Colours c = colours(dark);
  QPalette palette;
  palette.setColor(QPalette::Window, c.window);
  palette.setColor(QPalette::WindowText, c.text);
  palette.setColor(QPalette::Base, c.base);
  palette.setColor(QPalette::AlternateBase, dark ? QColor(0x191d23) : QColor(0xf7f9fb));
  palette.setColor(QPalette::Text, c.text);
  palette.setColor(QPalette::PlaceholderText, c.muted);
  palette.setColor(QPalette::Button, c.raised);
  palette.setColor(QPalette::ButtonText, c.text);
  palette.setColor(QPalette::BrightText, QColor(0xd93f3f));
  palette.setColor(QPalette::Highlight, c.accent);
  palette.setColor(QPalette::HighlightedText, c.onAccent);
  palette.setColor(QPalette::Link, c.accent);
  palette.setColor(QPalette::LinkVisited, c.accent);
  palette.setColor(QPalette::ToolTipBase, c.raised);
  palette.setColor(QPalette::ToolTipText, c.text);
  palette.setColor(QPalette::Light, dark ? QColor(0x323945) : QColor(0xffffff));
  palette.setColor(QPalette::Midlight, c.hover);
  palette.setColor(QPalette::Mid, c.border);
  palette.setColor(QPalette::Dark, dark ? QColor(0x0e1115) : QColor(0xaab3c0));
  palette.setColor(QPalette::Shadow, QColor(Qt::black));
  const QColor faded = dark ? QColor(0x626b79) : QColor(0x9aa3b0);
  for (const auto role :
       {QPalette::WindowText, QPalette::Text, QPalette::ButtonText, QPalette::HighlightedText}) {
    palette.setColor(QPalette::Disabled, role, faded);
  }
  palette.setColor(QPalette::Disabled, QPalette::Highlight, c.border);
  return palette;
}

QString ThemeManager::styleSheet(bool dark) {
  const Colours c = colours(dark);
  QString sheet = QStringLiteral(R"(
QToolTip { color: @text; background: @raised; border: 1px solid @border; padding: 4px 6px; }
QMainWindow::separator { background: @border; width: 1px; height: 1px; }
QMainWindow::separator:hover { background: @accent; }
QMenuBar { background: @window; border-bottom: 1px solid @border; padding: 2px 4px; }
QMenuBar::item { padding: 4px 10px; border-radius: 4px; background: transparent; }
QMenuBar::item:selected { background: @hover; }
QStatusBar { border-top: 1px solid @border; }
QStatusBar::item { border: none; }
QStatusBar QLabel { padding: 0 8px; color: @muted; }
QDockWidget { font-weight: 600; }
QDockWidget::title { background: @window; padding: 6px 8px; border-bottom: 1px solid @border; }
QDockWidget::close-button, QDockWidget::float-button { border: none; border-radius: 4px;
  subcontrol-position: top right; subcontrol-origin: margin; width: 16px; height: 16px; }
QDockWidget::close-button { right: 8px; top: 6px; }
QDockWidget::float-button { right: 30px; top: 6px; }
QDockWidget::close-button:hover, QDockWidget::float-button:hover { background: @hover; }
#rail { background: @base; border-right: 1px solid @border; }
#rail QToolButton { border: none; border-radius: 8px; padding: 8px 2px 6px 2px; color: @muted; }
#rail QToolButton:hover { background: @hover; color: @text; }
#rail QToolButton:checked { background: @selected; color: @accent; font-weight: 600; }
#rail QToolButton:focus { outline: none; border: 1px solid @accent; }
QFrame[panel="true"] { background: @base; border: 1px solid @border; border-radius: 8px; }
QLabel[role="title"] { font-size: 16pt; font-weight: 600; }
QLabel[role="subtitle"] { font-size: 12pt; font-weight: 600; }
QLabel[role="heading"] { font-weight: 600; }
QLabel[role="muted"] { color: @muted; }
QLabel[role="error"] { color: @error; }
QLabel[role="warning"] { color: @warn; }
QLabel[role="good"] { color: @good; }
QLabel[role="badge"], QLabel[role="badge-error"] { background: @hover; border-radius: 8px;
  padding: 1px 8px; }
QLabel[role="badge"] { color: @muted; }
QLabel[role="badge-error"] { color: @error; }
QPushButton { padding: 5px 14px; border: 1px solid @border; border-radius: 6px;
  background: @raised; min-height: 18px; }
QPushButton:hover { background: @hover; }
QPushButton:pressed, QPushButton:checked { background: @selected; }
QPushButton:focus { border-color: @accent; }
QPushButton:disabled { color: @faded; background: @window; }
QPushButton[primary="true"] { color: @onAccent; background: @accent; border-color: @accent;
  font-weight: 600; }
QPushButton#runDemo { padding: 11px 14px; }
QPushButton[primary="true"]:hover { background: @accentHover; border-color: @accentHover; }
QPushButton[primary="true"]:focus { border-color: @text; }
QPushButton[primary="true"]:disabled { color: @faded; background: @hover; border-color: @border; }
QPushButton[segment="true"] { border-radius: 0; border-right: none; padding: 4px 14px; }
QPushButton[segment="true"]:checked { color: @accent; background: @selected; }
QPushButton[position="first"] { border-top-left-radius: 6px; border-bottom-left-radius: 6px; }
QPushButton[position="last"] { border-top-right-radius: 6px; border-bottom-right-radius: 6px;
  border-right: 1px solid @border; }
QToolButton[flat="true"] { border: 1px solid transparent; border-radius: 4px; padding: 2px; }
QToolButton[flat="true"]:hover { background: @hover; }
QToolButton[flat="true"]:focus { border-color: @accent; }
QLineEdit, QSpinBox, QDoubleSpinBox, QPlainTextEdit, QTextEdit {
  border: 1px solid @border; border-radius: 5px; padding: 3px 6px; background: @base;
  selection-background-color: @accent; selection-color: @onAccent; }
QLineEdit:focus, QSpinBox:focus, QDoubleSpinBox:focus, QPlainTextEdit:focus, QTextEdit:focus {
  border-color: @accent; }
QLineEdit[invalid="true"] { border-color: @error; }
QLineEdit:disabled, QSpinBox:disabled { color: @faded; background: @window; }
QComboBox { border: 1px solid @border; border-radius: 5px; padding: 3px 24px 3px 8px;
  background: @base; min-height: 18px; }
QComboBox:focus, QComboBox:on { border-color: @accent; }
QComboBox:disabled { color: @faded; background: @window; }
QComboBox::drop-down { border: none; width: 22px; subcontrol-origin: padding;
  subcontrol-position: center right; }
QComboBox::down-arrow { image: url(:/icons/down-@mode.png); width: 10px; height: 10px; }
QComboBox QAbstractItemView { border: 1px solid @border; background: @raised; padding: 2px; }
QSpinBox, QDoubleSpinBox { padding-right: 18px; min-height: 18px; }
QSpinBox::up-button, QDoubleSpinBox::up-button { border: none; width: 18px;
  subcontrol-origin: border; subcontrol-position: top right; }
QSpinBox::down-button, QDoubleSpinBox::down-button { border: none; width: 18px;
  subcontrol-origin: border; subcontrol-position: bottom right; }
QSpinBox::up-button:hover, QSpinBox::down-button:hover { background: @hover; }
QSpinBox::up-arrow, QDoubleSpinBox::up-arrow { image: url(:/icons/up-@mode.png); width: 8px;
  height: 8px; }
QSpinBox::down-arrow, QDoubleSpinBox::down-arrow { image: url(:/icons/down-@mode.png); width: 8px;
  height: 8px; }
QCheckBox { spacing: 8px; }
QCheckBox::indicator, QAbstractItemView::indicator { width: 14px; height: 14px;
  border: 1px solid @muted; border-radius: 4px; background: @base; }
QCheckBox::indicator:hover, QAbstractItemView::indicator:hover { border-color: @accent; }
QCheckBox::indicator:checked, QAbstractItemView::indicator:checked { background: @accent;
  border-color: @accent; image: url(:/icons/check-@mode.png); }
QCheckBox::indicator:focus { border: 2px solid @accent; }
QCheckBox::indicator:checked:focus { border-color: @text; }
QCheckBox::indicator:disabled { border-color: @border; background: @window; }
QToolButton[popupMode="2"] { padding-right: 18px; }
QToolButton::menu-indicator { image: url(:/icons/down-@mode.png); width: 8px; height: 8px;
  subcontrol-origin: padding; subcontrol-position: center right; right: 4px; }
QHeaderView::section { background: @window; color: @muted; border: none; padding: 5px 8px;
  border-bottom: 1px solid @border; font-weight: 600; }
QTableView, QTreeView, QListView { border: none; background: @base; outline: none;
  alternate-background-color: @alternate; selection-background-color: @selected;
  selection-color: @text; gridline-color: @border; }
QScrollArea, QScrollArea > QWidget > QWidget { border: none; background: transparent; }
QSplitter::handle { background: transparent; }
QSplitter::handle:hover { background: @hover; }
QProgressBar { border: none; border-radius: 4px; background: @hover; text-align: center;
  min-height: 8px; max-height: 8px; }
QProgressBar::chunk { border-radius: 4px; background: @accent; }
QTabBar::tab { padding: 6px 14px; border: none; color: @muted; background: transparent; }
QTabBar::tab:selected { color: @accent; border-bottom: 2px solid @accent; }
QTabBar::tab:hover:!selected { color: @text; }
QScrollBar:vertical { width: 10px; background: transparent; }
QScrollBar:horizontal { height: 10px; background: transparent; }
QScrollBar::handle { background: @border; border-radius: 4px; margin: 1px; }
QScrollBar::handle:vertical { min-height: 28px; }
QScrollBar::handle:horizontal { min-width: 28px; }
QScrollBar::handle:hover { background: @muted; }
QScrollBar::add-line, QScrollBar::sub-line { width: 0; height: 0; }
QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }
)");
  const auto mix = [](const QColor& a, const QColor& b, double share) {
    return QColor::fromRgbF(static_cast<float>(a.redF() * share + b.redF() * (1 - share)),
                            static_cast<float>(a.greenF() * share + b.greenF() * (1 - share)),
                            static_cast<float>(a.blueF() * share + b.blueF() * (1 - share)));
  };
  sheet.replace(QLatin1String("@mode"), QLatin1String(dark ? "dark" : "light"));
  // Longer names first: "@accentHover" starts with "@accent".
  const std::pair<const char*, QColor> values[] = {
      {"@accentHover", mix(c.accent, c.text, 0.88)},
      {"@alternate", palette(dark).color(QPalette::AlternateBase)},
      {"@onAccent", c.onAccent},
      {"@selected", mix(c.accent, c.base, dark ? 0.24 : 0.13)},
      {"@window", c.window},
      {"@border", c.border},
      {"@raised", c.raised},
      {"@accent", c.accent},
      {"@faded", palette(dark).color(QPalette::Disabled, QPalette::Text)},
      {"@muted", c.muted},
      {"@hover", c.hover},
      {"@error", dark ? QColor(0xff7b72) : QColor(0xc62828)},
      {"@good", dark ? QColor(0x3fb27f) : QColor(0x1a7f4b)},
      {"@warn", dark ? QColor(0xe3b341) : QColor(0x8a5a00)},
      {"@base", c.base},
      {"@text", c.text},
  };
  for (const auto& [name, colour] : values) sheet.replace(QLatin1String(name), colour.name());
  return sheet;
}

}  // namespace bulwark
