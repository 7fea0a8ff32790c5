#include "ui/bridge/prepared_run.h"

#include <QRegularExpression>
#include <QStringList>

namespace bulwark {

namespace {

QString textAt(const Json& object, const char* key) {
  const auto found = object.is_object() ? object.find(key) : object.end();
  return object.is_object() && found != object.end() && found->is_string()
             ? QString::fromStdString(found->get<std::string>())
             : QString();
}

QRegularExpression pattern(const QString& text) {
  return QRegularExpression(text, QRegularExpression::CaseInsensitiveOption);
}

/// What `name` says of an attack whose `option` was `count`: "under PGD-20", "PGD 20",
/// ", pgd with 20 steps".
void dropStale(QString& name, const Json& attack, const QString& option, qint64 count) {
  QStringList names = {textAt(attack, "type"), textAt(attack, "label")};
  names.removeAll(QString());
  for (QString& one : names) one = QRegularExpression::escape(one);
  const QString attacks = names.join(u'|');
  const QString number = QString::number(count);
  name.remove(
      pattern(QStringLiteral(",?\\s*\\b(?:%1) with %2 %3\\b").arg(attacks, number, option)));
  name.remove(
      pattern(QStringLiteral("[,:]?(?:\\s+(?:under|against|with|by))?\\s*\\b(?:%1)[-_ ]?%2\\b")
                  .arg(attacks, number)));
  for (const QString& one : names) {  // a label that holds the count itself, such as "PGD-20"
    if (!one.endsWith(number)) continue;
    name.remove(
        pattern(QStringLiteral("[,:]?(?:\\s+(?:under|against|with|by))?\\s*\\b%1\\b").arg(one)));
  }
  name = name.simplified();
}

}  // namespace

Json preparedRun(const Json& before, Json after, const QString& change, const QString& detail) {
  if (!after.is_object()) return after;
  QString name = textAt(before, "name");
  QString said = change;
  const auto listed = [](const Json& specification) {
    return specification.is_object() && specification.contains("attacks") &&
                   specification.at("attacks").is_array()
               ? specification.at("attacks")
               : Json::array();
  };
  const Json old = listed(before);
  Json attacks = listed(after);
  for (std::size_t i = 0; i < attacks.size(); ++i) {
    Json& attack = attacks[i];
    if (!attack.is_object()) continue;
    if (i >= old.size()) {
      static const QRegularExpression made(QStringLiteral("images made for (.+?)(?: |,|;|$)"));
      const QString source = made.match(detail).captured(1);
      if (textAt(attack, "type") != QLatin1String("transfer") || source.isEmpty()) continue;
      for (const Json& detector : after.value("detectors", Json::array())) {
        const bool plain = detector.is_string();
        const QString type =
            plain ? QString::fromStdString(detector.get<std::string>()) : textAt(detector, "type");
        if (type != source && textAt(detector, "label") != source) continue;
        attack["source_detector"] = source.toStdString();
        said += QStringLiteral(" from ") + source;
        break;
      }
      continue;
    }
    for (const auto& [option, value] : attack.items()) {
      const Json was = old[i].is_object() ? old[i].value(option, Json()) : Json();
      if (!value.is_number_integer() || !was.is_number_integer() || was == value) continue;
      const QString key = QString::fromStdString(option);
      dropStale(name, old[i], key, was.get<qint64>());
      if (const QString label = textAt(attack, "label"); !label.isEmpty()) {
        QString fresh = label;
        fresh.replace(
            QRegularExpression(QStringLiteral("(?<!\\d)%1(?!\\d)").arg(was.get<qint64>())),
            QString::number(value.get<qint64>()));
        said.replace(label + QStringLiteral(" with"), fresh + QStringLiteral(" with"));
        attack["label"] = fresh.toStdString();
      }
    }
  }
  after["attacks"] = attacks;
  after["name"] = (name.isEmpty() ? said : name + QStringLiteral(", ") + said).toStdString();
  return after;
}

}  // namespace bulwark
