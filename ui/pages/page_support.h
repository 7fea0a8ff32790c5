#pragma once

#include <QString>

#include "ui/bridge/app_context.h"

class QComboBox;
class QLabel;
class QStackedWidget;
class QWidget;

namespace bulwark {

class PlotWidget;
class SamplePlot;

/// The large title at the top of a page.
QLabel* pageTitle(const QString& text, QWidget* parent);
/// A label that names `field` (its buddy).
QLabel* fieldLabel(const QString& text, QWidget* field, QWidget* parent);
/// Makes `page` show `empty` (index 0) or `content` (index 1).
QStackedWidget* fillPage(QWidget* page, QWidget* empty, QWidget* content);
/// Lets a plot ask for its file through the window's dialogs and tell when saving failed.
void connectPlot(PlotWidget* plot, const AppContext& context);
/// Lets a plot of samples make the selection of the window, an undo step named `text`.
void connectSamples(SamplePlot* plot, const AppContext& context, const QString& text);
/// Replaces the entries and keeps the chosen one where it is still there; without a signal.
void fillChoices(QComboBox* box, const QStringList& texts, const QStringList& values);

}  // namespace bulwark
