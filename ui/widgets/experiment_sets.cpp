#include "ui/widgets/experiment_sets.h"

#include <QFileInfo>
#include <QGridLayout>
#include <QSpinBox>
#include <QToolButton>
#include <algorithm>

#include "ui/bridge/draft_checker.h"
#include "ui/bridge/experiment_draft.h"
#include "ui/shell/icons.h"
#include "ui/widgets/panel.h"

namespace bulwark {

ExperimentSets::ExperimentSets(ExperimentDraft* draft, const DraftChecker* checker, QWidget* parent)
    : QWidget(parent), draft_(draft), checker_(checker), grid_(new QGridLayout(this)) {
  grid_->setContentsMargins(0, 0, 0, 0);
  grid_->setHorizontalSpacing(8);
  grid_->setVerticalSpacing(6);
  grid_->setColumnStretch(1, 1);
  connect(draft_, &ExperimentDraft::changed, this, [this] {
    if (draft_->part("/data") != shown_) rebuild();
  });
  connect(checker_, &DraftChecker::checked, this, &ExperimentSets::markProblem);
  rebuild();
}

QString ExperimentSets::displayName(const Json& entry) {
  if (!entry.is_object()) return {};
  for (const char* key : {"label", "dataset", "path"}) {
    const auto found = entry.find(key);
    if (found == entry.end() || !found->is_string()) continue;
    const QString text = QString::fromStdString(found->get<std::string>());
    if (!text.isEmpty()) return key == std::string("path") ? QFileInfo(text).fileName() : text;
  }
  return {};
}

void ExperimentSets::rebuild() {
  shown_ = draft_->part("/data");
  rows_.clear();
  // A spin box of a row may be the sender: it is deleted after its signal.
  while (QLayoutItem* item = grid_->takeAt(0)) {
    if (QWidget* widget = item->widget()) {
      widget->hide();
      widget->setObjectName({});
      widget->deleteLater();
    }
    delete item;
  }
  const auto heading = [this](const QString& text, int column) {
    auto* label = roleLabel(text, "muted");
    grid_->addWidget(label, 0, column);
  };
  const bool any = !displayName(draft_->part("/data/in")).isEmpty() ||
                   !displayName(draft_->part("/data/out/0")).isEmpty();
  if (any) {
    heading(tr("Train images"), 2);
    heading(tr("Test images"), 3);
  }
  // Under each set is a line for what is wrong with it.
  addRow(1, Role::In, "/data/in");
  const Json outs = draft_->part("/data/out");
  const int count = outs.is_array() ? static_cast<int>(outs.size()) : 0;
  for (int i = 0; i < count; ++i) {
    addRow(3 + 2 * i, Role::Out, "/data/out/" + std::to_string(i), i);
  }
  if (count == 0) {
    grid_->addWidget(roleLabel(tr("Out"), "badge"), 3, 0);
    grid_->addWidget(roleLabel(tr("none added yet"), "muted"), 3, 1, 1, 3);
  }
  if (!draft_->part("/data/open").is_null()) {
    addRow(3 + 2 * std::max(1, count), Role::Open, "/data/open");
  }
  if (!checker_->isPending()) markProblem();
}

/// What the check of the whole says of a set, under that set.
void ExperimentSets::markProblem() {
  const DraftCheck& check = checker_->last();
  for (const Row& row : rows_) {
    const bool wrong = !check.valid && (check.where == row.where ||
                                        check.where.startsWith(row.where + QLatin1Char('.')));
    QString text = wrong ? check.problem : QString();
    if (wrong && !check.hint.isEmpty()) text += QStringLiteral(": ") + check.hint;
    row.error->setText(text);
    row.error->setVisible(wrong);
    setRole(row.badge, wrong ? "badge-error" : "badge");
  }
}

void ExperimentSets::addRow(int row, Role role, const std::string& pointer, int index) {
  const QString badge = role == Role::In ? tr("In") : role == Role::Out ? tr("Out") : tr("Open");
  auto* mark = roleLabel(badge, "badge");
  grid_->addWidget(mark, row, 0);
  const Json entry = draft_->part(pointer);
  const QString name = displayName(entry);
  if (name.isEmpty()) {
    grid_->addWidget(roleLabel(tr("none chosen yet"), "muted"), row, 1, 1, 3);
    return;
  }
  // A long name takes two lines before the numbers of its row are cut off.
  auto* title = roleLabel(name, "heading");
  title->setWordWrap(true);
  title->setMinimumWidth(56);
  QStringList remarks;
  if (entry.contains("optional") && entry.at("optional") == true) remarks << tr("if installed");
  if (role == Role::Open && entry.value("split", Json()) == "test") remarks << tr("test images");
  if (role == Role::Out && entry.value("split", Json()) == "train") remarks << tr("train images");
  if (!remarks.isEmpty()) {
    title->setText(QStringLiteral("%1 <span style='font-weight:normal'>(%2)</span>")
                       .arg(name.toHtmlEscaped(), remarks.join(QStringLiteral(", "))));
  }
  title->setObjectName(role == Role::In    ? QStringLiteral("inSet")
                       : role == Role::Out ? QStringLiteral("outSet%1").arg(index)
                                           : QStringLiteral("openSet"));
  grid_->addWidget(title, row, 1);
  auto* error = roleLabel({}, "error");
  error->setObjectName(title->objectName() + QStringLiteral(".error"));
  error->setWordWrap(true);
  error->setTextFormat(Qt::PlainText);
  error->hide();
  grid_->addWidget(error, row + 1, 1, 1, 4);
  QString where =
      QString::fromStdString(pointer.substr(1)).replace(QLatin1Char('/'), QLatin1Char('.'));
  if (role == Role::Out) where = QStringLiteral("data.out[%1]").arg(index);
  rows_.push_back({where, mark, error});
  const auto limit = [&](const char* key, int column, const QString& what) {
    auto* box = new QSpinBox;
    box->setObjectName(title->objectName() + QLatin1Char('.') + QLatin1String(key));
    box->setRange(0, 10000000);
    box->setSingleStep(500);
    box->setSpecialValueText(tr("all"));
    box->setAccessibleName(tr("%1 of %2").arg(what, name));
    box->setToolTip(tr("A seeded subset of so many images; \"all\" keeps the whole set"));
    box->setKeyboardTracking(false);
    box->setFixedWidth(88);
    if (entry.contains(key) && entry.at(key).is_number_integer()) {
      box->setValue(entry.at(key).get<int>());
    }
    connect(box, &QSpinBox::valueChanged, this, [this, pointer, key = std::string(key)](int value) {
      Json changed = draft_->part(pointer);
      if (!changed.is_object()) return;
      if (value == 0) {
        changed.erase(key);
      } else {
        changed[key] = value;
      }
      shown_[Json::json_pointer(pointer.substr(5))] = changed;  // ours: no rebuild
      draft_->setPart(pointer, changed);
    });
    grid_->addWidget(box, row, column);
  };
  if (role != Role::Out) limit("train_limit", 2, tr("Train images"));
  if (role != Role::Open) limit("test_limit", 3, tr("Test images"));
  if (role == Role::In) return;
  auto* remove = new QToolButton;
  remove->setObjectName(role == Role::Open ? QStringLiteral("removeOpen")
                                           : QStringLiteral("removeOut%1").arg(index));
  remove->setProperty("flat", true);
  remove->setIcon(icon(QStringLiteral("remove")));
  remove->setToolTip(role == Role::Open ? tr("Train without outliers") : tr("Remove this out set"));
  remove->setAccessibleName(tr("Remove %1").arg(name));
  connect(remove, &QToolButton::clicked, this, [this, role, index] {
    if (role == Role::Open) {
      draft_->setPart("/data/open", Json());
    } else {
      draft_->removeOut(index);
    }
  });
  grid_->addWidget(remove, row, 4);
}

}  // namespace bulwark
