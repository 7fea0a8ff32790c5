#pragma once

#include <QLabel>
#include <QSignalSpy>
#include <QTest>

#include "ui/pages/results_page.h"
#include "ui/plots/plot_widget.h"
#include "ui/widgets/panel.h"
#include "ui_support.h"

/// What tests of plots and of pages with plots share.
namespace bulwark::testing {

/// What a plot draws on and takes the mouse and the keys with.
inline QWidget* canvasOf(const PlotWidget& plot) {
  return plot.findChild<QWidget*>(QStringLiteral("canvas"));
}
inline QWidget* canvasOf(const PlotWidget* plot) {
  return canvasOf(*plot);
}

inline void expose(QWidget& widget, int width, int height) {
  widget.resize(width, height);
  widget.show();
  QVERIFY(QTest::qWaitForWindowExposed(&widget));
  QTest::qWait(60);
}

/// Has the page show a run.
inline void open(Workbench& bench, ResultsPage& page, std::int64_t run) {
  QSignalSpy shown(&page, &ResultsPage::shown);
  bench.focus.setRun(run);
  QVERIFY(shown.wait(5000));
}

/// What a panel says in place of what it has not; empty while it shows something.
inline QString emptyText(const QWidget& panel) {
  QString text;
  auto* empty = panel.findChild<EmptyState*>();
  if (!empty->isVisible()) return text;
  for (const QLabel* label : empty->findChildren<QLabel*>()) text += label->text() + u' ';
  return text;
}

}  // namespace bulwark::testing
