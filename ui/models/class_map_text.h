#pragma once

#include <QImage>
#include <QString>

#include "core/experiment/class_map_file.h"
#include "ui/bridge/selection_hub.h"

namespace bulwark {

// What the class map of a run says, in words.

/// "sneaker (7)"; "class 7" where classes have no names, "all classes" for the pooled layout.
QString classMapTitle(const ClassMap& map, std::int64_t predicted);
/// "layer conv1" or "logits".
QString classMapPart(const ClassMap& map, std::size_t part);
/// Which set an image belongs to.
SampleSide classMapSide(const ClassMap& map, std::size_t sample);
/// "fashion-mnist (in), image 48".
QString classMapName(const ClassMap& map, std::size_t sample);
/// "predicted sneaker (7), rightly".
QString classMapClasses(const ClassMap& map, std::size_t sample);
/// The image's name, its true and predicted class, its score and how normal a part finds it.
QString classMapSentence(const ClassMap& map, std::size_t sample, std::size_t part);
/// Null where the map has no pictures.
QImage classMapPicture(const ClassMap& map, std::size_t sample);

}  // namespace bulwark
