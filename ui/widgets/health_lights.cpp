#include "ui/widgets/health_lights.h"

#include <QEvent>
#include <QHBoxLayout>
#include <QLabel>
#include <QMouseEvent>
#include <QPainter>
#include <QPixmap>
#include <QTextLayout>
#include <QVBoxLayout>
#include <algorithm>

#include "ui/widgets/elided_label.h"
#include "ui/widgets/panel.h"

namespace bulwark {

namespace {

constexpr int kSign = 30;          // pixels
constexpr int kMostSentences = 4;  // the list below has them all
constexpr int kLines = 6;          // of text, for which room is kept

/// Disc, triangle and square: told apart without colours.
QPixmap picture(HealthVerdict verdict, bool dark, qreal ratio) {
  QPixmap pixmap(QSize(kSign, kSign) * ratio);
  pixmap.setDevicePixelRatio(ratio);
  pixmap.fill(Qt::transparent);
  QPainter painter(&pixmap);
  painter.setRenderHint(QPainter::Antialiasing);
  painter.setPen(Qt::NoPen);
  painter.setBrush(colourOf(verdict, dark));
  const QRectF box(2, 2, kSign - 4, kSign - 4);
  switch (verdict) {
    case HealthVerdict::Green:
      painter.drawEllipse(box);
      break;
    case HealthVerdict::Amber:
      painter.drawPolygon(
          QPolygonF({QPointF(box.center().x(), box.top()), QPointF(box.right(), box.bottom()),
                     QPointF(box.left(), box.bottom())}));
      break;
    case HealthVerdict::Red:
      painter.drawRoundedRect(box, 3, 3);
      break;
    case HealthVerdict::NotApplicable:
      painter.setBrush(Qt::NoBrush);
      painter.setPen(QPen(colourOf(verdict, dark), 2));
      painter.drawEllipse(box.adjusted(1, 1, -1, -1));
  }
  painter.setBrush(Qt::NoBrush);
  painter.setPen(QPen(dark ? QColor(0x14171c) : QColor(Qt::white), 2.6, Qt::SolidLine, Qt::RoundCap,
                      Qt::RoundJoin));
  const QPointF c = box.center();
  if (verdict == HealthVerdict::Green) {
    painter.drawPolyline(
        QPolygonF({c + QPointF(-5.5, 0.5), c + QPointF(-1.5, 4.5), c + QPointF(6, -4.5)}));
  } else if (verdict == HealthVerdict::Amber) {
    painter.drawLine(c + QPointF(0, -3), c + QPointF(0, 4));
    painter.drawPoint(c + QPointF(0, 8.5));
  } else if (verdict == HealthVerdict::Red) {
    painter.drawLine(c + QPointF(-5, -5), c + QPointF(5, 5));
    painter.drawLine(c + QPointF(5, -5), c + QPointF(-5, 5));
  }
  return pixmap;
}

/// `text` as far as it fits into `lines` lines of `width` pixels.
QString fitted(const QString& text, const QFont& font, int width, int lines) {
  QTextLayout layout(text, font);
  layout.beginLayout();
  int last = 0;
  for (int i = 0; i < lines; ++i) {
    QTextLine line = layout.createLine();
    if (!line.isValid()) return text;
    line.setLineWidth(width);
    last = line.textStart();
  }
  if (!layout.createLine().isValid()) return text;
  return text.left(last) +
         QFontMetrics(font).elidedText(text.mid(last), Qt::ElideRight, std::max(0, width - 4));
}

}  // namespace

HealthLightCard::HealthLightCard(const QString& title, const QString& meaning, QWidget* parent)
    : QFrame(parent), title_(title), meaning_(meaning) {
  setProperty("panel", true);
  setToolTip(meaning);
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(12, 8, 12, 8);
  layout->setSpacing(4);
  auto* head = new QHBoxLayout;
  head->setSpacing(8);
  sign_ = new QLabel(this);
  sign_->setFixedSize(kSign, kSign);
  auto* words = new QVBoxLayout;
  words->setSpacing(0);
  words->addWidget(roleLabel(title, "heading", this));
  auto* line = new QHBoxLayout;
  line->setSpacing(8);
  word_ = new QLabel(this);
  word_->setObjectName(QStringLiteral("lightWord"));
  counts_ = new ElidedLabel({}, this);
  counts_->setProperty("role", "muted");
  line->addWidget(word_);
  line->addWidget(counts_, 1);
  words->addLayout(line);
  head->addWidget(sign_);
  head->addLayout(words, 1);
  layout->addLayout(head);
  text_ = new QLabel(this);
  text_->setObjectName(QStringLiteral("lightSentences"));
  text_->setWordWrap(true);
  text_->setTextFormat(Qt::RichText);
  text_->setTextInteractionFlags(Qt::LinksAccessibleByMouse | Qt::LinksAccessibleByKeyboard);
  text_->setAlignment(Qt::AlignLeft | Qt::AlignTop);
  connect(text_, &QLabel::linkActivated, this,
          [this](const QString& link) { Q_EMIT checkChosen(names_.value(link.toInt())); });
  connect(text_, &QLabel::linkHovered, this, [this](const QString& link) {
    const QString sentence = link.isEmpty() ? QString() : shown_.value(link.toInt());
    text_->setToolTip(
        sentence.isEmpty() ? QString() : QStringLiteral("<p>%1</p>").arg(sentence.toHtmlEscaped()));
  });
  layout->addWidget(text_);
  layout->addStretch(1);
  showLight(HealthLight{});
}

void HealthLightCard::showLight(const HealthLight& light) {
  verdict_ = light.verdict;
  const bool none = light.verdict == HealthVerdict::NotApplicable;
  QString word = none ? tr("not checked") : wordOf(light.verdict);
  word[0] = word[0].toUpper();
  word_->setText(word);
  const char* roles[] = {"muted", "good", "warning", "error"};
  setRole(word_, roles[int(light.verdict)]);
  QStringList counts;
  const auto count = [&](int number, const QString& what) {
    if (number > 0) counts += QStringLiteral("%1 %2").arg(number).arg(what);
  };
  count(light.red, tr("red"));
  count(light.amber, tr("amber"));
  count(light.green, tr("green"));
  count(light.notApplicable, tr("not applicable"));
  counts_->setFullText(counts.join(QStringLiteral(", ")));
  QStringList sentences = light.sentences;
  if (sentences.size() > kMostSentences) {
    const auto more = sentences.size() - kMostSentences;
    sentences = sentences.mid(0, kMostSentences);
    sentences += tr("… and %1 more in the list below.").arg(more);
  }
  shown_ = sentences;
  names_ = light.names;
  drawSentences();
  if (names_.isEmpty()) {
    unsetCursor();
  } else {
    setCursor(Qt::PointingHandCursor);
  }
  setAccessibleName(title_ + QStringLiteral(": ") + word);
  setAccessibleDescription(light.sentences.join(u' '));
  drawSign();
}

// Every sentence is a link in the colour of the text, underlined at the name of its check. Without
// one there is room to say what the light is about.
void HealthLightCard::drawSentences() {
  text_->setFixedHeight(kLines * text_->fontMetrics().lineSpacing() + 2);
  const bool more = shown_.size() > kMostSentences;
  const int each = kLines / int(std::max<qsizetype>(1, shown_.size()));
  const int width = text_->contentsRect().width();
  const QString colour = palette().color(QPalette::WindowText).name();
  QString html;
  for (qsizetype i = 0; i < shown_.size(); ++i) {
    const bool last = more && i + 1 == shown_.size();
    const QString sentence = fitted(shown_[i], text_->font(), width, last ? 1 : std::max(1, each));
    const auto colon = std::max<qsizetype>(0, sentence.indexOf(u':'));
    html +=
        QStringLiteral(
            "<p style='margin:0'><a href='%1' style='color:%2;text-decoration:none'>"
            "<u>%3</u>%4</a></p>")
            .arg(std::min(i, names_.size() - 1))
            .arg(colour, sentence.left(colon).toHtmlEscaped(), sentence.mid(colon).toHtmlEscaped());
  }
  if (html.isEmpty()) {
    html = QStringLiteral("<p style='margin:0; color:%1'>%2</p>")
               .arg(palette().color(QPalette::PlaceholderText).name(), meaning_.toHtmlEscaped());
  }
  if (html != text_->text()) text_->setText(html);
}

void HealthLightCard::resizeEvent(QResizeEvent* event) {
  QFrame::resizeEvent(event);
  drawSentences();
}

void HealthLightCard::mouseReleaseEvent(QMouseEvent* event) {
  QFrame::mouseReleaseEvent(event);
  if (event->button() == Qt::LeftButton && rect().contains(event->pos()) && !names_.isEmpty()) {
    Q_EMIT checkChosen(names_.first());
  }
}

void HealthLightCard::changeEvent(QEvent* event) {
  if (event->type() == QEvent::PaletteChange) {
    drawSign();
    drawSentences();
  }
  QFrame::changeEvent(event);
}

void HealthLightCard::drawSign() {
  const bool dark = palette().color(QPalette::Base).lightnessF() < 0.5;
  sign_->setPixmap(picture(verdict_, dark, devicePixelRatioF()));
}

HealthLights::HealthLights(QWidget* parent) : QWidget(parent) {
  auto* row = new QHBoxLayout(this);
  row->setContentsMargins(0, 0, 0, 0);
  row->setSpacing(8);
  cards_ = {
      new HealthLightCard(tr("Results consistent"),
                          tr("Checks of the figures themselves: a breach is a mistake in the "
                             "evaluation, not a weak attack"),
                          this),
      new HealthLightCard(tr("Target attackable"),
                          tr("Checks of the detector as a target: scores and gradients an attack "
                             "can follow"),
                          this),
      new HealthLightCard(tr("Attack converged"),
                          tr("Checks of the attack as an optimiser: would more of it, or another "
                             "one, find worse points?"),
                          this)};
  const char* names[] = {"lightConsistent", "lightAttackable", "lightConverged"};
  for (std::size_t i = 0; i < cards_.size(); ++i) {
    cards_[i]->setObjectName(QLatin1String(names[i]));
    row->addWidget(cards_[i], 1);
    connect(cards_[i], &HealthLightCard::checkChosen, this, &HealthLights::checkChosen);
  }
}

void HealthLights::showChecks(const std::vector<HealthEntry>& entries) {
  const auto lights = lightsOf(entries);
  for (std::size_t i = 0; i < cards_.size(); ++i) cards_[i]->showLight(lights[i]);
}

}  // namespace bulwark
