#pragma once

#include <QString>

#include "core/base/json.h"

namespace bulwark {

/// The experiment that a remedy asks for, under a name that says what it is: the name of `before`
/// without what it said of the attack as it was, then what was changed ("pgd with 40 steps"); a
/// label that counts what has changed counts anew ("PGD-20" becomes "PGD-40"). A transfer attack
/// that was added takes its images from the detector that `detail`, the finding of the check,
/// names, where it names one of the experiment's.
Json preparedRun(const Json& before, Json after, const QString& change, const QString& detail = {});

}  // namespace bulwark
