#include "ui/models/class_map_text.h"

#include <QCoreApplication>

#include "ui/models/number_text.h"
#include "ui/models/pixels.h"

namespace bulwark {

namespace {

QString text(const char* source) {
  return QCoreApplication::translate("ClassMapText", source);
}

}  // namespace

QString classMapTitle(const ClassMap& map, std::int64_t predicted) {
  if (predicted == ClassMap::pooled) return text("all classes");
  const auto at = std::size_t(predicted);
  const QString number = QString::number(predicted);
  if (at >= map.classNames.size()) return text("class %1").arg(number);
  const QString name = QString::fromStdString(map.classNames[at]);
  return name.isEmpty() || name == number ? text("class %1").arg(number)
                                          : QStringLiteral("%1 (%2)").arg(name, number);
}

QString classMapPart(const ClassMap& map, std::size_t part) {
  const ClassMap::Part& of = map.parts[part];
  const QString name = QString::fromStdString(of.name), tap = QString::fromStdString(of.tap);
  return name == tap ? name : QStringLiteral("%1 %2").arg(name, tap);
}

SampleSide classMapSide(const ClassMap& map, std::size_t sample) {
  const ClassMap::Set& set = map.sets[map.samples[sample].set];
  return {QString::fromStdString(set.name), set.role == "out"};
}

QString classMapName(const ClassMap& map, std::size_t sample) {
  const SampleSide side = classMapSide(map, sample);
  return text("%1 (%2), image %3")
      .arg(side.dataset, side.out ? text("out") : text("in"),
           QString::number(map.samples[sample].index));
}

QString classMapClasses(const ClassMap& map, std::size_t sample) {
  const ClassMap::Sample& of = map.samples[sample];
  const QString predicted = text("predicted %1").arg(classMapTitle(map, of.predicted));
  if (of.label < 0) return predicted;
  return of.label == of.predicted ? text("%1, rightly").arg(predicted)
                                  : text("%1, is %2").arg(predicted, classMapTitle(map, of.label));
}

QString classMapSentence(const ClassMap& map, std::size_t sample, std::size_t part) {
  const ClassMap::Sample& of = map.samples[sample];
  const double normal = map.normality[sample * map.parts.size() + part];
  return text("%1: %2; score %3; normality by the %4 %5")
      .arg(classMapName(map, sample), classMapClasses(map, sample), numberText(of.score, 'g', 4),
           classMapPart(map, part), numberText(normal, 'g', 3));
}

QImage classMapPicture(const ClassMap& map, std::size_t sample) {
  const auto bytes = map.picture(sample);
  if (bytes.empty()) return {};
  std::vector<float> pixels(bytes.size());
  for (std::size_t i = 0; i < bytes.size(); ++i) pixels[i] = float(bytes[i]) / 255.0F;
  return toImage(pixels, map.channels, map.height, map.width);
}

}  // namespace bulwark
