#include "ui/models/strip_text.h"

#include <QCoreApplication>
#include <QLocale>

#include "core/base/text.h"
#include "ui/models/number_text.h"
#include "ui/models/pixels.h"

namespace bulwark {

namespace {

QString text(const char* source) {
  return QCoreApplication::translate("StripText", source);
}

QString imageName(const IterationStrips::Sample& sample) {
  const QString name = text("image %1").arg(sample.index);
  return sample.label >= 0 ? name + text(", class %1").arg(sample.label) : name;
}

}  // namespace

QString stripSetName(const IterationStrips::Set& set) {
  const QString role = set.role == "train" ? text("training")
                       : set.role == "out" ? text("out")
                                           : text("in");
  return QStringLiteral("%1 (%2)").arg(QString::fromStdString(set.name), role);
}

QString stripSampleName(const IterationStrips& strips, std::size_t sample) {
  const IterationStrips::Set& set = strips.sets[strips.samples[sample].set];
  return QStringLiteral("%1, %2").arg(stripSetName(set), imageName(strips.samples[sample]));
}

QString stripSampleEntry(const IterationStrips& strips, std::size_t sample) {
  const IterationStrips::Set& set = strips.sets[strips.samples[sample].set];
  return imageName(strips.samples[sample]) + u'\n' + stripSetName(set);
}

QString stripStateName(std::int64_t j) {
  if (j == 0) return text("input");
  QString name = QStringLiteral("x");
  for (const QChar digit : QString::number(j)) {
    name += QChar(char16_t(0x2080 + digit.digitValue()));
  }
  return name;
}

QImage stripPicture(const IterationStrips& strips, std::size_t sample, std::size_t radius,
                    std::int64_t j) {
  const auto bytes = strips.picture(sample, radius, j);
  std::vector<float> pixels(bytes.size());
  for (std::size_t i = 0; i < bytes.size(); ++i) pixels[i] = float(bytes[i]) / 255.0F;
  return toImage(pixels, strips.channels, strips.height, strips.width);
}

bool isWrongClass(const IterationStrips& strips, std::size_t sample, std::size_t radius,
                  std::int64_t j) {
  const std::int64_t label = strips.samples[sample].label;
  return label >= 0 && strips.classes[strips.at(sample, radius, j)] != label;
}

QString stripClassText(const IterationStrips& strips, std::size_t sample, std::size_t radius,
                       std::int64_t j) {
  const QString named = text("class %1").arg(strips.classes[strips.at(sample, radius, j)]);
  return isWrongClass(strips, sample, radius, j)
             ? named + text(", is %1").arg(strips.samples[sample].label)
             : named;
}

std::int64_t judgedState(const IterationStrips& strips) {
  return strips.passes >= 1 && strips.passes <= strips.iterations ? strips.passes : -1;
}

bool isPerturbed(const IterationStrips& strips, std::size_t radius) {
  return parseFraction(strips.radii[radius]).value_or(0.0) > 0;
}

QStringList stripCaption(const IterationStrips& strips, std::size_t sample, std::size_t radius,
                         std::int64_t j) {
  const std::size_t at = strips.at(sample, radius, j);
  QString similar = QStringLiteral("r ") + numberText(strips.toInput[at], 'f', 2);
  if (j == judgedState(strips)) {
    const bool accepted = strips.toInput[at] >= strips.leastSimilarity;
    similar += QStringLiteral(" %1 %2").arg(accepted ? QStringLiteral("≥") : QStringLiteral("<"),
                                            numberText(strips.leastSimilarity, 'g', 3));
  }
  QStringList lines = {stripClassText(strips, sample, radius, j), similar};
  if (isPerturbed(strips, radius)) {
    lines += text("clean %1").arg(numberText(strips.toClean[at], 'f', 2));
  }
  return lines;
}

QString stripSentence(const IterationStrips& strips, std::size_t sample, std::size_t radius,
                      std::int64_t j) {
  const std::size_t at = strips.at(sample, radius, j);
  return text("ε %1, %2: %3, similarity %4 to the input, %5 to the clean image")
      .arg(QString::fromStdString(strips.radii[radius]), stripStateName(j),
           stripClassText(strips, sample, radius, j), numberText(strips.toInput[at], 'f', 3),
           numberText(strips.toClean[at], 'f', 3));
}

}  // namespace bulwark
