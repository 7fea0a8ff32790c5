#pragma once

#include <QObject>
#include <QString>
#include <QTimer>

#include "core/data/catalogue.h"
#include "core/registry/registries.h"
#include "ui/bridge/background.h"
#include "ui/bridge/experiment_draft.h"

namespace bulwark {

/// What is known of the draft as it stands.
struct DraftCheck {
  bool valid = false;
  QString where;  ///< path in the specification: "attacks[0].eps"
  QString problem, hint;
  QString cost;   ///< what running it would take; only when valid
  Json complete;  ///< the draft with its defaults written out, as runs keep it; only when valid
  /// Problem, place and remedy in one line; empty when valid.
  QString message() const;
};

/// Checks the draft a moment after each change, off the window's thread.
class DraftChecker : public QObject {
  Q_OBJECT

 public:
  DraftChecker(ExperimentDraft* draft, const Registries* registries,
               const DatasetCatalogue* catalogue, QObject* parent = nullptr);

  /// The newest answer; stale while `isPending`.
  const DraftCheck& last() const { return last_; }
  bool isPending() const { return pending_; }
  /// Asks again, e.g. when files were installed.
  void recheck();

 Q_SIGNALS:
  /// The draft has changed; the next `checked` will tell.
  void pending();
  void checked(const bulwark::DraftCheck& check);

 private:
  void run();

  ExperimentDraft* draft_;
  const Registries* registries_;
  const DatasetCatalogue* catalogue_;
  QTimer delay_;
  BackgroundTask task_;
  DraftCheck last_;
  bool pending_ = true;
};

}  // namespace bulwark
