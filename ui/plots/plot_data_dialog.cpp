#include "ui/plots/plot_data_dialog.h"

#include <QApplication>
#include <QClipboard>
#include <QDialogButtonBox>
#include <QFontDatabase>
#include <QHeaderView>
#include <QLabel>
#include <QLocale>
#include <QPushButton>
#include <QTableView>
#include <QVBoxLayout>

#include "ui/plots/plot_export.h"

namespace bulwark {

PlotTableModel::PlotTableModel(PlotTable table, QObject* parent)
    : QAbstractTableModel(parent), table_(std::move(table)) {}

int PlotTableModel::rowCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : int(table_.labels.size());
}

int PlotTableModel::columnCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : 1 + int(table_.texts.size() + table_.columns.size());
}

QVariant PlotTableModel::data(const QModelIndex& index, int role) const {
  if (!index.isValid()) return {};
  const int text = index.column() - 1, column = text - int(table_.texts.size());
  if (role == Qt::TextAlignmentRole && column >= 0) {
    return QVariant(Qt::AlignRight | Qt::AlignVCenter);
  }
  if (role != Qt::DisplayRole) return {};
  if (text < 0) return table_.labels[index.row()];
  if (column < 0) return table_.texts[text][index.row()];
  return QLocale::c().toString(table_.columns[column][index.row()], 'g', 9);
}

QVariant PlotTableModel::headerData(int section, Qt::Orientation orientation, int role) const {
  if (role != Qt::DisplayRole) return {};
  if (orientation == Qt::Vertical) return section + 1;
  return section == 0 ? table_.labelHeader
                      : (table_.textHeaders + table_.headers).value(section - 1);
}

PlotDataDialog::PlotDataDialog(const QString& title, PlotTable table, QWidget* parent)
    : QDialog(parent) {
  setObjectName(QStringLiteral("plotDataDialog"));
  setWindowTitle(title.isEmpty() ? tr("Data of the plot") : tr("Data: %1").arg(title));
  resize(560, 480);
  const QString csv = toCsv(table);

  auto* view = new QTableView(this);
  view->setObjectName(QStringLiteral("plotDataTable"));
  view->setAccessibleName(windowTitle());
  view->setModel(new PlotTableModel(std::move(table), view));
  view->setAlternatingRowColors(true);
  view->setFont(QFontDatabase::systemFont(QFontDatabase::FixedFont));
  view->horizontalHeader()->setStretchLastSection(true);
  view->verticalHeader()->setDefaultSectionSize(view->fontMetrics().height() + 6);
  view->resizeColumnToContents(0);

  auto* count = new QLabel(tr("Rows: %1").arg(QLocale().toString(view->model()->rowCount())), this);
  auto* buttons = new QDialogButtonBox(QDialogButtonBox::Close, this);
  QPushButton* copy = buttons->addButton(tr("Copy as CSV"), QDialogButtonBox::ActionRole);
  copy->setObjectName(QStringLiteral("plotDataCopy"));
  connect(copy, &QPushButton::clicked, this, [csv] { QApplication::clipboard()->setText(csv); });
  connect(buttons, &QDialogButtonBox::rejected, this, &QDialog::reject);

  auto* bottom = new QHBoxLayout;
  bottom->addWidget(count);
  bottom->addWidget(buttons, 1);
  auto* layout = new QVBoxLayout(this);
  layout->addWidget(view);
  layout->addLayout(bottom);
}

}  // namespace bulwark
