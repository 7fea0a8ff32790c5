#pragma once

#include <QImage>
#include <QStringList>

#include "core/experiment/strip_file.h"

namespace bulwark {

// What the iteration strips of a run say, in words; `sample` and `radius` as in `IterationStrips`.

/// "fashion-mnist (out), image 17" or "fashion-mnist (training), image 17, class 3".
QString stripSampleName(const IterationStrips& strips, std::size_t sample);
/// The same in two lines, as an entry of a list: "image 17, class 3", "fashion-mnist (training)".
QString stripSampleEntry(const IterationStrips& strips, std::size_t sample);
/// "fashion-mnist (out)".
QString stripSetName(const IterationStrips::Set& set);
/// "input", "x₁", "x₂", ...
QString stripStateName(std::int64_t j);
QImage stripPicture(const IterationStrips& strips, std::size_t sample, std::size_t radius,
                    std::int64_t j);
/// "class 5", or "class 5, is 3" where the image is of another class.
QString stripClassText(const IterationStrips& strips, std::size_t sample, std::size_t radius,
                       std::int64_t j);
bool isWrongClass(const IterationStrips& strips, std::size_t sample, std::size_t radius,
                  std::int64_t j);
/// Below a picture: its class, its similarity to x_0 ("r 0.93", and where the detector judges it
/// how that compares with its threshold) and, for perturbed images, to the clean one.
QStringList stripCaption(const IterationStrips& strips, std::size_t sample, std::size_t radius,
                         std::int64_t j);
/// The same as one sentence, with all digits that matter.
QString stripSentence(const IterationStrips& strips, std::size_t sample, std::size_t radius,
                      std::int64_t j);
/// The x_j that the detector judges; -1 where that differs by image or was not kept.
std::int64_t judgedState(const IterationStrips& strips);
bool isPerturbed(const IterationStrips& strips, std::size_t radius);

}  // namespace bulwark
