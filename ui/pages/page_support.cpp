#include "ui/pages/page_support.h"

#include <QComboBox>
#include <QLabel>
#include <QSignalBlocker>
#include <QStackedWidget>
#include <QVBoxLayout>

#include "ui/bridge/dialogs.h"
#include "ui/bridge/selection_hub.h"
#include "ui/plots/sample_plot.h"
#include "ui/widgets/panel.h"

namespace bulwark {

QLabel* pageTitle(const QString& text, QWidget* parent) {
  QLabel* label = roleLabel(text, "title", parent);
  label->setObjectName(QStringLiteral("pageTitle"));
  return label;
}

QLabel* fieldLabel(const QString& text, QWidget* field, QWidget* parent) {
  auto* label = new QLabel(text, parent);
  label->setBuddy(field);
  QString plain = text;
  field->setAccessibleName(plain.remove(u'&'));
  return label;
}

QStackedWidget* fillPage(QWidget* page, QWidget* empty, QWidget* content) {
  auto* stack = new QStackedWidget(page);
  stack->addWidget(empty);
  stack->addWidget(content);
  auto* layout = new QVBoxLayout(page);
  layout->setContentsMargins(0, 0, 0, 0);
  layout->addWidget(stack);
  return stack;
}

void connectPlot(PlotWidget* plot, const AppContext& context) {
  DialogProvider* dialogs = context.dialogs;
  if (!dialogs) return;
  plot->setPathChooser([dialogs](QWidget* parent, const QString& name, const QString& filters) {
    return dialogs->saveFile(parent, PlotWidget::tr("Export the plot"), name, filters);
  });
  QObject::connect(plot, &PlotWidget::exportFailed, plot, [dialogs, plot](const QString& text) {
    dialogs->message(plot, PlotWidget::tr("The plot was not saved"), text);
  });
}

void connectSamples(SamplePlot* plot, const AppContext& context, const QString& text) {
  SelectionHub* hub = context.selection;
  QObject::connect(plot, &SamplePlot::samplesPreviewed, hub,
                   [hub](const SampleSet& samples, Qt::KeyboardModifiers modifiers) {
                     hub->preview(samples, SelectionHub::modeFor(modifiers));
                   });
  QObject::connect(plot, &SamplePlot::samplesPicked, hub,
                   [hub, text](const SampleSet& samples, Qt::KeyboardModifiers modifiers) {
                     hub->commit(samples, text, SelectionHub::modeFor(modifiers));
                   });
}

void fillChoices(QComboBox* box, const QStringList& texts, const QStringList& values) {
  const QSignalBlocker quiet(box);
  const QString current = box->currentData().toString();
  box->clear();
  for (qsizetype i = 0; i < texts.size(); ++i) box->addItem(texts[i], values[i]);
  const int index = box->findData(current);
  box->setCurrentIndex(index >= 0 ? index : (texts.isEmpty() ? -1 : 0));
}

}  // namespace bulwark
