#include "ui/widgets/experiment_sets.h"

#include <QFileInfo>
#include <QGridLayout>
#include <QSpinBox>
#include <QToolButton>

#include "ui/bridge/experiment_draft.h"
#include "ui/shell/icons.h"
#include "ui/widgets/panel.h"

namespace bulwark {

ExperimentSets::ExperimentSets(ExperimentDraft* draft, QWidget* parent)
    : QWidget(parent), draft_(draft), grid_(new QGridLayout(this)) {
  grid_->setContentsMargins(0, 0, 0, 0);
  grid_->setHorizontalSpacing(8);
  grid_->setVerticalSpacing(6);
  grid_->setColumnStretch(1, 1);
  connect(draft_, &ExperimentDraft::changed, this, [this] {
    if (draft_->part("/data") != shown_) rebuild();
  });
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
  addRow(1, Role::In, "/data/in");
  const Json outs = draft_->part("/data/out");
  const int count = outs.is_array() ? static_cast<int>(outs.size()) : 0;
  for (int i = 0; i < count; ++i) {
    addRow(2 + i, Role::Out, "/data/out/" + std::to_string(i), i);
  }
  if (count == 0) {
    grid_->addWidget(roleLabel(tr("Out"), "badge"), 2, 0);
    grid_->addWidget(roleLabel(tr("none added yet"), "muted"), 2, 1, 1, 3);
  }
  if (!draft_->part("/data/open").is_null()) addRow(3 + count, Role::Open, "/data/open");
}

void ExperimentSets::addRow(int row, Role role, const std::string& pointer, int index) {
  const QString badge = role == Role::In ? tr("In") : role == Role::Out ? tr("Out") : tr("Open");
  grid_->addWidget(roleLabel(badge, "badge"), row, 0);
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
  if (entry.is_object() && entry.contains("optional") && entry.at("optional") == true) {
    title->setText(
        tr("%1 <span style='font-weight:normal'>(if installed)</span>").arg(name.toHtmlEscaped()));
  }
  title->setObjectName(role == Role::In    ? QStringLiteral("inSet")
                       : role == Role::Out ? QStringLiteral("outSet%1").arg(index)
                                           : QStringLiteral("openSet"));
  grid_->addWidget(title, row, 1);
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
