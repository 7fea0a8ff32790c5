#pragma once

#include <QFrame>
#include <array>
#include <vector>

#include "ui/models/health_model.h"

class QLabel;

namespace bulwark {

class ElidedLabel;

/// One light as a card: a disc, triangle or square with its word, the counts, and a sentence for
/// every amber and red. Its height is the same whatever it says, so that nothing below it moves
/// while checks come in: a sentence that does not fit is elided and has a tooltip.
class HealthLightCard : public QFrame {
  Q_OBJECT

 public:
  HealthLightCard(const QString& title, const QString& meaning, QWidget* parent = nullptr);
  void showLight(const HealthLight& light);
  HealthVerdict verdict() const { return verdict_; }
  /// As shown, one sentence a line.
  QString sentences() const { return shown_.join(u'\n'); }

 Q_SIGNALS:
  /// A sentence was clicked, or the card of a light that is amber or red: the name of the check.
  void checkChosen(const QString& name);

 protected:
  void mouseReleaseEvent(QMouseEvent* event) override;
  void changeEvent(QEvent* event) override;
  void resizeEvent(QResizeEvent* event) override;

 private:
  void drawSign();
  void drawSentences();

  HealthVerdict verdict_ = HealthVerdict::NotApplicable;
  QString title_, meaning_;
  QStringList shown_, names_;
  QLabel* sign_;
  QLabel* word_;
  ElidedLabel* counts_;
  QLabel* text_;
};

/// The row of three: results consistent, target attackable, attack converged.
class HealthLights : public QWidget {
  Q_OBJECT

 public:
  explicit HealthLights(QWidget* parent = nullptr);
  void showChecks(const std::vector<HealthEntry>& entries);
  HealthLightCard* card(int light) const { return cards_[std::size_t(light)]; }

 Q_SIGNALS:
  void checkChosen(const QString& name);

 private:
  std::array<HealthLightCard*, 3> cards_;
};

}  // namespace bulwark
