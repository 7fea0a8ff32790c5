#include "ui/plots/plot_theme.h"

namespace bulwark {
namespace {

QColor mix(const QColor& a, const QColor& b, double share) {
  return QColor::fromRgbF(a.redF() + (b.redF() - a.redF()) * share,
                          a.greenF() + (b.greenF() - a.greenF()) * share,
                          a.blueF() + (b.blueF() - a.blueF()) * share);
}

PlotTheme make(const QColor& background, const QColor& text, const QColor& accent) {
  PlotTheme theme;
  theme.background = background;
  theme.text = text;
  theme.accent = accent;
  theme.dark = background.lightnessF() < 0.5;
  theme.muted = mix(background, text, 0.62);
  theme.grid = mix(background, text, theme.dark ? 0.16 : 0.11);
  theme.panel = mix(background, text, 0.05);
  // Okabe and Ito, "Color Universal Design" (2008); brightened for a dark ground.
  if (theme.dark) {
    theme.series = {QColor("#4db1f0"), QColor("#ff8f4a"), QColor("#2fc79a"), QColor("#e79ac6"),
                    QColor("#f2c14e"), QColor("#9a9cf5"), QColor("#8fd3ff"), QColor("#c9a27e"),
                    QColor("#d8dbe2"), QColor("#f0e442")};
  } else {
    theme.series = {QColor("#0072b2"), QColor("#d55e00"), QColor("#009e73"), QColor("#b7548d"),
                    QColor("#b98300"), QColor("#5254a3"), QColor("#2f93cf"), QColor("#8c6240"),
                    QColor("#3c4048"), QColor("#8f8a00")};
  }
  theme.in = theme.series[0];
  theme.out = theme.series[1];
  theme.select = theme.dark ? QColor("#ffd54a") : QColor("#7a1fa2");
  return theme;
}

}  // namespace

PlotTheme PlotTheme::fromPalette(const QPalette& palette) {
  return make(palette.color(QPalette::Active, QPalette::Base),
              palette.color(QPalette::Active, QPalette::Text),
              palette.color(QPalette::Active, QPalette::Highlight));
}

PlotTheme PlotTheme::forPaper() {
  return make(Qt::white, Qt::black, QColor("#0072b2"));
}

SeriesStyle PlotTheme::style(int index) const {
  static constexpr Qt::PenStyle lines[] = {Qt::SolidLine, Qt::DashLine, Qt::DashDotLine,
                                           Qt::DotLine, Qt::DashDotDotLine};
  SeriesStyle style;
  style.color = series[index % series.size()];
  style.line = lines[(index + index / int(series.size())) % 5];
  style.marker = index % 4;
  return style;
}

}  // namespace bulwark
