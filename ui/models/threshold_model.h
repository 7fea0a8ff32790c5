#pragma once

#include <QObject>
#include <QString>
#include <map>
#include <optional>
#include <utility>

#include "core/metrics/threshold.h"

namespace bulwark {

/// The one threshold per run and detector: an image is flagged when its score is above it.
///
/// Clean and attacked scores share it. Counts cost two binary searches, so they follow a drag.
class ThresholdModel : public QObject {
  Q_OBJECT

 public:
  struct Scores {
    SortedScores cleanIn, cleanOut;
    SortedScores attackedIn, attackedOut;  ///< empty without an attack
  };

  explicit ThresholdModel(QObject* parent = nullptr);

  /// Shows another detector: its threshold is the remembered one, else 95 % of in kept.
  void setScores(qint64 run, const QString& detector, Scores scores);
  void clear();
  bool isEmpty() const;
  bool hasAttack() const;
  const Scores& scores() const { return scores_; }

  std::optional<double> threshold() const { return threshold_; }
  void setThreshold(double threshold);
  /// Smallest threshold that keeps this share of clean in images.
  void keepIn(double share = 0.95);
  /// Largest threshold that flags this share of clean out images.
  void flagOut(double share = 0.95);
  /// Largest TPR - FPR on the clean sets (Youden's J).
  void bestYouden();

  ConfusionCounts clean() const;
  ConfusionCounts attacked() const;
  /// Range of all scores, for sliders.
  std::pair<double, double> range() const;

 Q_SIGNALS:
  void scoresChanged();
  void thresholdChanged(double threshold);

 private:
  qint64 run_ = 0;
  QString detector_;
  Scores scores_;
  std::optional<double> threshold_;
  std::map<std::pair<qint64, QString>, double> remembered_;
};

}  // namespace bulwark
