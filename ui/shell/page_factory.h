#pragma once

#include "ui/bridge/app_context.h"
#include "ui/bridge/navigator.h"

class QWidget;

namespace bulwark {

/// Builds one of the seven pages.
QWidget* makePage(PageId page, const AppContext& context);

}  // namespace bulwark
