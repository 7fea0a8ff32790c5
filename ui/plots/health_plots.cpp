#include "ui/plots/health_plots.h"

#include <QFrame>
#include <QGridLayout>
#include <algorithm>
#include <cmath>

namespace bulwark {

namespace {

constexpr int kHeight = 200;  // pixels of a small plot

struct Look {
  const char* kind;
  TrendPlot::Shape shape;
  QString title, x, y, empty;
};

std::array<Look, HealthPlots::KindCount> looks() {
  using Shape = TrendPlot::Shape;
  const auto text = [](const char* source) { return HealthPlots::tr(source); };
  return {{{"best_score", Shape::Lines, text("Best score per step"), text("step"), text("score"),
            text("An attack of more than one step shows here how far each step moved the scores.")},
           {"auroc_eps", Shape::Lines, text("AUROC over epsilon"), text("epsilon"), text("AUROC"),
            text("A sweep over epsilon, or the costly checks, would show here whether AUROC falls "
                 "as the attacker is allowed more.")},
           {"auroc_restarts", Shape::Lines, text("AUROC over restarts"), text("restarts"),
            text("AUROC"),
            text("A sweep over restarts, or the costly checks, would show here whether more "
                 "starting points still help.")},
           {"gradient_norms", Shape::Bars, text("Gradient norms"), text("log₁₀ of the norm"),
            text("images"),
            text("A run that checks gradients (H15) shows here how large they are. This run has "
                 "not kept them: run its configuration again.")},
           {"blackbox_gain", Shape::Points, text("Black box against white box"),
            text("gain of the white box"), text("black − white"),
            text("The costly checks attack without gradients as well (H27) and compare both "
                 "here: how far each moved an image's score the attacker's way.")}}};
}

QVector<double> numbers(const Json& series, const char* key) {
  QVector<double> values;
  const auto found = series.find(key);
  if (found == series.end() || !found->is_array()) return values;
  for (const Json& value : *found) {
    values.append(value.is_number() ? value.get<double>() : std::nan(""));
  }
  return values;
}

QString word(const Json& series, const char* key) {
  const auto found = series.find(key);
  return found != series.end() && found->is_string()
             ? QString::fromStdString(found->get<std::string>())
             : QString();
}

}  // namespace

HealthPlots::HealthPlots(QWidget* parent) : QWidget(parent) {
  auto* grid = new QGridLayout(this);
  grid->setContentsMargins(0, 0, 0, 0);
  grid->setSpacing(8);
  const auto all = looks();
  for (int kind = 0; kind < KindCount; ++kind) {
    const Look& look = all[std::size_t(kind)];
    auto* plot = new TrendPlot(look.shape, this);
    plot->setObjectName(QStringLiteral("health_") + QLatin1String(look.kind));
    plot->setTitle(look.title);
    plot->setAxisTitles(look.x, look.y);
    plot->setStill();
    if (kind == Epsilon || kind == Restarts) {
      plot->setYRange(0, 1);
      plot->setReference(0.5);
    }
    if (kind == BlackBox) plot->setReference(0);
    plot->setEmptyText(look.empty);
    auto* frame = new QFrame(this);
    frame->setProperty("panel", true);
    frame->setFixedHeight(kHeight);
    auto* inside = new QGridLayout(frame);
    inside->setContentsMargins(8, 4, 8, 6);
    inside->addWidget(plot);
    grid->addWidget(frame, kind / 3, kind % 3);
    plots_[std::size_t(kind)] = plot;
    refresh(Kind(kind));
  }
  for (int column = 0; column < 3; ++column) grid->setColumnStretch(column, 1);
}

void HealthPlots::setLast(QWidget* widget) {
  widget->setFixedHeight(kHeight);
  static_cast<QGridLayout*>(layout())->addWidget(widget, 1, 2);
}

void HealthPlots::showSeries(const Json& series, const QString& detector, const QString& attack) {
  for (auto& own : own_) own.clear();
  const auto all = looks();
  const auto belongs = [](const QString& mine, const QString& wanted) {
    return mine.isEmpty() || wanted.isEmpty() || mine == wanted;
  };
  if (series.is_array()) {
    for (const Json& one : series) {
      if (!one.is_object()) continue;
      for (int kind = 0; kind < KindCount; ++kind) {
        if (word(one, "kind") != QLatin1String(all[std::size_t(kind)].kind)) continue;
        if (!belongs(word(one, "detector"), detector)) continue;
        // "square against pgd" belongs to pgd.
        if (!belongs(word(one, "attack").section(QStringLiteral(" against "), -1), attack))
          continue;
        QString name = word(one, "set");
        if (name.isEmpty()) name = word(one, "detector");
        TrendSeries made{name, numbers(one, "x"), numbers(one, "y"), numbers(one, "low"),
                         numbers(one, "high")};
        if (kind == BlackBox) {
          for (qsizetype i = 0; i < std::min(made.x.size(), made.y.size()); ++i) {
            made.y[i] -= made.x[i];
          }
        }
        own_[std::size_t(kind)].append(std::move(made));
      }
    }
  }
  for (int kind = 0; kind < KindCount; ++kind) refresh(Kind(kind));
}

void HealthPlots::setFallback(Kind kind, const QVector<TrendSeries>& series) {
  fallback_[kind] = series;
  refresh(kind);
}

void HealthPlots::refresh(Kind kind) {
  plots_[kind]->setSeries(own_[kind].isEmpty() ? fallback_[kind] : own_[kind]);
}

}  // namespace bulwark
