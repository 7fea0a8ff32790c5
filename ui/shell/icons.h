#pragma once

#include <QIcon>
#include <QString>

namespace bulwark {

/// A monochrome line icon that is drawn in the palette's text colour (accent when checked), so it
/// fits light and dark and any resolution. Names: data, train, attack, results, images, compare,
/// report, play, pause, stop, retry, add, remove, reset, folder, database, check, warning, info,
/// search, open, save, copy, pin, filter, chevron. An unknown name asserts and draws nothing.
QIcon icon(const QString& name);

/// The program's own icon: a wall with battlements.
QIcon applicationIcon();

}  // namespace bulwark
