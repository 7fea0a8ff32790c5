#include "ui/bridge/selection_hub.h"

#include <QLocale>
#include <QUndoCommand>
#include <QUndoStack>

namespace bulwark {

void SampleSet::insert(const SampleSide& side, qint64 index) {
  sides_[side].insert(index);
}

void SampleSet::unite(const SampleSet& other) {
  for (const auto& [side, indices] : other.sides_) {
    sides_[side].insert(indices.begin(), indices.end());
  }
}

void SampleSet::subtract(const SampleSet& other) {
  for (const auto& [side, indices] : other.sides_) {
    const auto mine = sides_.find(side);
    if (mine == sides_.end()) continue;
    for (const qint64 index : indices) mine->second.erase(index);
    if (mine->second.empty()) sides_.erase(mine);
  }
}

bool SampleSet::contains(const SampleSide& side, qint64 index) const {
  const auto found = sides_.find(side);
  return found != sides_.end() && found->second.count(index) > 0;
}

qint64 SampleSet::size() const {
  return count(false) + count(true);
}

qint64 SampleSet::count(bool out) const {
  qint64 total = 0;
  for (const auto& [side, indices] : sides_) {
    if (side.out == out) total += qint64(indices.size());
  }
  return total;
}

class SelectionHub::Command : public QUndoCommand {
 public:
  Command(SelectionHub& hub, SampleSet after, const QString& text)
      : QUndoCommand(text), hub_(hub), before_(hub.committed_), after_(std::move(after)) {}
  void undo() override { hub_.apply(before_); }
  void redo() override { hub_.apply(after_); }

 private:
  SelectionHub& hub_;
  SampleSet before_, after_;
};

SelectionHub::SelectionHub(QObject* parent) : QObject(parent), stack_(new QUndoStack(this)) {
  stack_->setUndoLimit(200);
}

// The commands refer to this object, so they go first.
SelectionHub::~SelectionHub() {
  stack_->clear();
}

const SampleSet& SelectionHub::current() const {
  return preview_ ? *preview_ : committed_;
}

SampleSet SelectionHub::combined(const SampleSet& samples, Mode mode) const {
  if (mode == Mode::Replace) return samples;
  SampleSet result = committed_;
  if (mode == Mode::Add) {
    result.unite(samples);
  } else {
    result.subtract(samples);
  }
  return result;
}

void SelectionHub::preview(const SampleSet& samples, Mode mode) {
  SampleSet next = combined(samples, mode);
  if (preview_ && *preview_ == next) return;
  preview_ = std::move(next);
  Q_EMIT changed();
}

void SelectionHub::cancelPreview() {
  if (!preview_) return;
  preview_.reset();
  Q_EMIT changed();
}

void SelectionHub::commit(const SampleSet& samples, const QString& text, Mode mode) {
  SampleSet next = combined(samples, mode);
  const bool previewed = preview_.has_value();
  preview_.reset();
  if (next == committed_) {
    if (previewed) Q_EMIT changed();
    return;
  }
  stack_->push(new Command(*this, std::move(next), text));
}

void SelectionHub::clear() {
  const bool previewed = preview_.has_value();
  preview_.reset();
  if (!committed_.empty()) {
    stack_->push(new Command(*this, SampleSet(), tr("Clear the selection")));
  } else if (previewed) {
    Q_EMIT changed();
  }
}

void SelectionHub::reset() {
  preview_.reset();
  stack_->clear();
  apply(SampleSet());
}

void SelectionHub::apply(const SampleSet& samples) {
  committed_ = samples;
  Q_EMIT changed();
}

QString SelectionHub::statusText() const {
  const SampleSet& set = current();
  if (set.empty()) return {};
  const QLocale locale;
  return tr("%1 in, %2 out selected")
      .arg(locale.toString(set.count(false)), locale.toString(set.count(true)));
}

SelectionHub::Mode SelectionHub::modeFor(Qt::KeyboardModifiers modifiers) {
  if (modifiers & Qt::AltModifier) return Mode::Remove;
  return modifiers & (Qt::ShiftModifier | Qt::ControlModifier) ? Mode::Add : Mode::Replace;
}

}  // namespace bulwark
