#include "ui/shell/icons.h"

#include <QGuiApplication>
#include <QHash>
#include <QIconEngine>
#include <QPainter>
#include <QPalette>
#include <QSvgRenderer>

namespace bulwark {

namespace {

/// Shapes on a 24 x 24 grid, drawn with a round 1.7 pen.
const QHash<QString, const char*>& shapes() {
  static const QHash<QString, const char*> table = {
      {"data",
       "<rect x='3' y='3' width='7.5' height='7.5' rx='1.5'/><rect x='13.5' y='3' width='7.5' "
       "height='7.5' rx='1.5'/><rect x='3' y='13.5' width='7.5' height='7.5' rx='1.5'/><rect "
       "x='13.5' y='13.5' width='7.5' height='7.5' rx='1.5'/>"},
      {"train",
       "<path d='M3 3v16.5a1.5 1.5 0 0 0 1.5 1.5H21'/><path d='M6.5 6c2 7.5 5 10.5 13.5 11'/>"},
      {"attack",
       "<circle cx='12' cy='12' r='7'/><circle cx='12' cy='12' r='2.2'/><path d='M12 2v4M12 "
       "18v4M2 12h4M18 12h4'/>"},
      {"results",
       "<path d='M3 21h18'/><rect x='4.5' y='11' width='3.6' height='7' rx='.8'/><rect x='10.2' "
       "y='4' width='3.6' height='14' rx='.8'/><rect x='15.9' y='8' width='3.6' height='10' "
       "rx='.8'/>"},
      {"images",
       "<rect x='3' y='4' width='18' height='16' rx='2'/><circle cx='8.5' cy='9.5' r='1.7'/><path "
       "d='M4 18l5.5-5 3.5 3 3-2.5 4.5 4'/>"},
      {"compare",
       "<rect x='3' y='4' width='7.5' height='16' rx='1.5'/><rect x='13.5' y='4' width='7.5' "
       "height='16' rx='1.5'/><path d='M5.5 9h2.5M5.5 13h2.5M16 9h2.5M16 13h2.5'/>"},
      {"report",
       "<path d='M6 2.5h8l5 5V20a1.5 1.5 0 0 1-1.5 1.5h-11A1.5 1.5 0 0 1 5 20V4a1.5 1.5 0 0 1 "
       "1-1.5z'/><path d='M14 2.5V8h5M8.5 12.5h7M8.5 16.5h7'/>"},
      {"play", "<path d='M7 4.5l12 7.5-12 7.5z'/>"},
      {"pause", "<path d='M8 5v14M16 5v14'/>"},
      {"stop", "<rect x='5.5' y='5.5' width='13' height='13' rx='2'/>"},
      {"retry", "<path d='M20 11a8 8 0 1 0-2.3 6.4'/><path d='M20.5 4.5V11H14'/>"},
      {"add", "<path d='M12 5v14M5 12h14'/>"},
      {"remove", "<path d='M6 6l12 12M18 6L6 18'/>"},
      {"reset", "<path d='M4 11a8 8 0 1 1 2.3 6.4'/><path d='M3.5 4.5V11H10'/>"},
      {"folder",
       "<path d='M3 6.5A1.5 1.5 0 0 1 4.5 5h5l2 2.5h8A1.5 1.5 0 0 1 21 9v9.5a1.5 1.5 0 0 1-1.5 "
       "1.5h-15A1.5 1.5 0 0 1 3 18.5z'/>"},
      {"database",
       "<ellipse cx='12' cy='5.5' rx='8' ry='3'/><path d='M4 5.5v13c0 1.7 3.6 3 8 3s8-1.3 "
       "8-3v-13'/><path d='M4 12c0 1.7 3.6 3 8 3s8-1.3 8-3'/>"},
      {"check", "<path d='M4.5 12.5l5 5 10-11'/>"},
      {"warning", "<path d='M12 3.5l9.5 17h-19z'/><path d='M12 10v4.5'/><path d='M12 17.4v.2'/>"},
      {"info", "<circle cx='12' cy='12' r='9'/><path d='M12 11v5.5'/><path d='M12 7.6v.2'/>"},
      {"search", "<circle cx='10.5' cy='10.5' r='6.5'/><path d='M15.5 15.5L21 21'/>"},
      {"open",
       "<path d='M14 4h6v6M20 4l-9 9'/><path d='M18 14v5a1 1 0 0 1-1 1H5a1 1 0 0 1-1-1V7a1 "
       "1 0 0 1 1-1h5'/>"},
      {"save",
       "<path d='M12 3v12M7 10.5l5 5 5-5'/><path d='M4 17v2.5A1.5 1.5 0 0 0 5.5 "
       "21h13a1.5 1.5 0 0 0 1.5-1.5V17'/>"},
      {"copy",
       "<rect x='8.5' y='8.5' width='12' height='12' rx='1.5'/><path d='M5 15.5H4.5A1 1 0 "
       "0 1 3.5 14.5v-10a1 1 0 0 1 1-1h10a1 1 0 0 1 1 1V5'/>"},
      {"pin", "<path d='M9 3.5h6l-1 6.5 3.5 3.5h-11L10 10z'/><path d='M12 13.5V21'/>"},
      {"filter", "<path d='M3.5 5h17L14 12.5V19l-4 2v-8.5z'/>"},
      {"chevron", "<path d='M6 9.5l6 6 6-6'/>"},
  };
  return table;
}

QByteArray document(const char* body, const QColor& colour) {
  return QByteArray(
             "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 24 24'><g fill='none' "
             "stroke-width='1.7' stroke-linecap='round' stroke-linejoin='round' stroke='") +
         colour.name().toLatin1() + "'>" + body + "</g></svg>";
}

class LineIconEngine : public QIconEngine {
 public:
  explicit LineIconEngine(const char* body) : body_(body) {}

  void paint(QPainter* painter, const QRect& rect, QIcon::Mode mode, QIcon::State state) override {
    const QPalette palette = QGuiApplication::palette();
    QColor colour = palette.color(QPalette::Text);
    if (state == QIcon::On) colour = palette.color(QPalette::Highlight);
    if (mode == QIcon::Disabled) colour = palette.color(QPalette::Disabled, QPalette::Text);
    QSvgRenderer renderer(document(body_, colour));
    const int side = qMin(rect.width(), rect.height());
    renderer.render(painter, QRectF(rect.center().x() - side / 2.0 + 0.5,
                                    rect.center().y() - side / 2.0 + 0.5, side, side));
  }

  QPixmap pixmap(const QSize& size, QIcon::Mode mode, QIcon::State state) override {
    QPixmap pixmap(size);
    pixmap.fill(Qt::transparent);
    QPainter painter(&pixmap);
    paint(&painter, pixmap.rect(), mode, state);
    return pixmap;
  }

  QIconEngine* clone() const override { return new LineIconEngine(body_); }

 private:
  const char* body_;
};

}  // namespace

QIcon icon(const QString& name) {
  const char* body = shapes().value(name, nullptr);
  Q_ASSERT_X(body, "icon", qPrintable(name));
  return body ? QIcon(new LineIconEngine(body)) : QIcon();
}

QIcon applicationIcon() {
  QIcon result;
  for (const int size : {16, 32, 48, 64, 128, 256}) {
    QPixmap pixmap(size, size);
    pixmap.fill(Qt::transparent);
    QPainter painter(&pixmap);
    QSvgRenderer renderer(QByteArray(
        "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 64 64'>"
        "<path d='M6 14h10v7h10v-7h12v7h10v-7h10v22c0 12-10 20-26 25C16 56 6 48 6 36z' "
        "fill='#1f6feb'/><path d='M19 45V34M28 45V28M37 45V37M46 45V31' stroke='#ffffff' "
        "stroke-width='5' stroke-linecap='round' fill='none'/></svg>"));
    renderer.render(&painter);
    painter.end();
    result.addPixmap(pixmap);
  }
  return result;
}

}  // namespace bulwark
