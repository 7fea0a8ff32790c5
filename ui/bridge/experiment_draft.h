#pragma once

#include <QObject>
#include <QString>

#include "core/base/json.h"

namespace bulwark {

/// The experiment specification being put together on the Data, Train and Attack pages.
///
/// Holds the JSON document as the user has it, which need not be complete or valid. Belongs to
/// the window's thread.
class ExperimentDraft : public QObject {
  Q_OBJECT

 public:
  explicit ExperimentDraft(QObject* parent = nullptr);

  const Json& specification() const { return specification_; }
  /// Replaces the whole document (a preset, a run's configuration). Emits `loaded`, `changed`.
  void load(const Json& specification);
  /// The part at a JSON pointer such as "/classifier/recipe"; null when absent.
  Json part(const std::string& pointer) const;
  /// Sets one part and emits `changed`, unless it already is `value`. Null removes it.
  void setPart(const std::string& pointer, const Json& value);

  QString name() const;
  quint64 seed() const;
  QString device() const;
  int threads() const;

  // The sets: an entry is an object as in design.md section 4.
  void setIn(const Json& entry);
  /// Appends an out set; false when it is already there.
  bool addOut(const Json& entry);
  void removeOut(int index);

 Q_SIGNALS:
  void changed();
  void loaded();

 private:
  Json specification_;
};

}  // namespace bulwark
