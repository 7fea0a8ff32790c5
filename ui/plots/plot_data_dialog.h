#pragma once

#include <QAbstractTableModel>
#include <QDialog>

#include "ui/plots/plot_widget.h"

namespace bulwark {

/// The numbers behind a plot, read-only.
class PlotTableModel : public QAbstractTableModel {
  Q_OBJECT

 public:
  explicit PlotTableModel(PlotTable table, QObject* parent = nullptr);
  int rowCount(const QModelIndex& parent = {}) const override;
  int columnCount(const QModelIndex& parent = {}) const override;
  QVariant data(const QModelIndex& index, int role = Qt::DisplayRole) const override;
  QVariant headerData(int section, Qt::Orientation orientation,
                      int role = Qt::DisplayRole) const override;

 private:
  PlotTable table_;
};

/// "Show data": the table, and a button that copies it as CSV.
class PlotDataDialog : public QDialog {
  Q_OBJECT

 public:
  PlotDataDialog(const QString& title, PlotTable table, QWidget* parent = nullptr);
};

}  // namespace bulwark
