#pragma once

#include <QLocale>
#include <QRegularExpression>
#include <QString>

namespace bulwark {

/// A number as `QLocale::toString` writes it, but never a minus before nothing but zeros.
inline QString numberText(double value, char format, int digits) {
  const QLocale locale;
  QString text = locale.toString(value, format, digits);
  static const QRegularExpression something(QStringLiteral("[1-9a-zA-Z]"));
  if (value <= 0 && text.startsWith(locale.negativeSign()) && !text.contains(something)) {
    text.remove(0, locale.negativeSign().size());
  }
  return text;
}

}  // namespace bulwark
