#pragma once

#include <QObject>
#include <QString>
#include <map>
#include <optional>
#include <set>
#include <utility>

class QUndoStack;

namespace bulwark {

/// Which evaluated set a sample belongs to.
struct SampleSide {
  QString dataset;
  bool out = false;

  friend bool operator<(const SampleSide& a, const SampleSide& b) {
    return a.out != b.out ? a.out < b.out : a.dataset < b.dataset;
  }
  friend bool operator==(const SampleSide& a, const SampleSide& b) {
    return a.out == b.out && a.dataset == b.dataset;
  }
};

/// Samples named by their set and their index within the evaluated set.
class SampleSet {
 public:
  void insert(const SampleSide& side, qint64 index);
  void unite(const SampleSet& other);
  void subtract(const SampleSet& other);
  bool contains(const SampleSide& side, qint64 index) const;
  bool empty() const { return sides_.empty(); }
  qint64 size() const;
  qint64 count(bool out) const;
  const std::map<SampleSide, std::set<qint64>>& sides() const { return sides_; }
  friend bool operator==(const SampleSet& a, const SampleSet& b) { return a.sides_ == b.sides_; }

 private:
  std::map<SampleSide, std::set<qint64>> sides_;
};

/// The one selection of the window: plots, tables and thumbnails set it and listen to it.
///
/// While a gesture lasts it previews; at its end it commits once, which is one undo step.
class SelectionHub : public QObject {
  Q_OBJECT

 public:
  enum class Mode { Replace, Add, Remove };

  explicit SelectionHub(QObject* parent = nullptr);
  ~SelectionHub() override;

  /// The previewed set while a gesture lasts, else the committed one.
  const SampleSet& current() const;
  const SampleSet& committed() const { return committed_; }
  bool previewing() const { return preview_.has_value(); }

  void preview(const SampleSet& samples, Mode mode = Mode::Replace);
  void cancelPreview();
  /// One undo step named `text`, unless nothing changes.
  void commit(const SampleSet& samples, const QString& text, Mode mode = Mode::Replace);
  void clear();
  /// Another run is shown: empties the selection and forgets the history.
  void reset();

  QUndoStack* undoStack() const { return stack_; }
  /// "40 in, 7 out selected", or an empty string.
  QString statusText() const;
  /// Shift adds, Alt removes, otherwise replaces.
  static Mode modeFor(Qt::KeyboardModifiers modifiers);

 Q_SIGNALS:
  void changed();

 private:
  class Command;
  SampleSet combined(const SampleSet& samples, Mode mode) const;
  void apply(const SampleSet& samples);

  SampleSet committed_;
  std::optional<SampleSet> preview_;
  QUndoStack* stack_;
};

}  // namespace bulwark
