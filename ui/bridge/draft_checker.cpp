#include "ui/bridge/draft_checker.h"

#include "core/experiment/runner.h"
#include "core/experiment/specification.h"

namespace bulwark {

namespace {

constexpr int settleTime = 200;  // ms after the last change

/// A catalogue set that is not there is known before the start, not an hour into the run.
void requireInstalled(const DatasetRequest& request, const DatasetCatalogue& catalogue,
                      const std::string& path) {
  if (request.dataset.empty() || request.optional) return;
  const DatasetInfo& info = catalogue.info(request.dataset, path);
  if (info.generated) return;
  const DatasetStatus status = catalogue.status(request.dataset);
  if (status.installed) return;
  throw Error::badInput("'" + request.dataset + "' is not installed", path,
                        "the Data page says what to put where");
}

DraftCheck checkDraft(const Json& draft, const Registries& registries,
                      const DatasetCatalogue& catalogue) {
  DraftCheck check;
  try {
    const auto specification = Specification::fromJson(draft, registries, catalogue);
    requireInstalled(specification.in, catalogue, "data.in");
    for (std::size_t i = 0; i < specification.out.size(); ++i) {
      requireInstalled(specification.out[i], catalogue, "data.out[" + std::to_string(i) + "]");
    }
    if (specification.open) requireInstalled(*specification.open, catalogue, "data.open");
    check.valid = true;
    check.complete = specification.toJson();
    check.cost = QString::fromStdString(estimateCost(specification, registries, catalogue).text);
  } catch (const Error& error) {
    check.valid = false;
    check.where = QString::fromStdString(error.where());
    check.problem = QString::fromStdString(error.problem());
    check.hint = QString::fromStdString(error.hint());
  }
  return check;
}

}  // namespace

QString DraftCheck::message() const {
  if (valid) return {};
  QString text = where.isEmpty() ? problem : where + QStringLiteral(": ") + problem;
  if (!hint.isEmpty()) text += QStringLiteral(" (") + hint + QLatin1Char(')');
  return text;
}

DraftChecker::DraftChecker(ExperimentDraft* draft, const Registries* registries,
                           const DatasetCatalogue* catalogue, QObject* parent)
    : QObject(parent), draft_(draft), registries_(registries), catalogue_(catalogue), task_(this) {
  delay_.setSingleShot(true);
  delay_.setInterval(settleTime);
  connect(&delay_, &QTimer::timeout, this, &DraftChecker::run);
  connect(draft_, &ExperimentDraft::changed, this, &DraftChecker::recheck);
  delay_.start();
}

void DraftChecker::recheck() {
  pending_ = true;
  delay_.start();
  Q_EMIT pending();
}

void DraftChecker::run() {
  const auto answer = [this](const DraftCheck& check) {
    if (delay_.isActive()) return;  // changed again meanwhile
    last_ = check;
    pending_ = false;
    Q_EMIT checked(last_);
  };
  task_.start([draft = draft_->specification(), registries = registries_, catalogue = *catalogue_](
                  Task&) { return checkDraft(draft, *registries, catalogue); },
              answer,
              [answer](const Error& error) {
                DraftCheck check;
                check.problem = QString::fromStdString(error.what());
                answer(check);
              });
}

}  // namespace bulwark
