#include "ui/bridge/experiment_draft.h"

namespace bulwark {

namespace {

Json freshSpecification() {
  return Json{
      {"name", "My experiment"},
      {"seed", 0},
      {"device", "auto"},
      {"data",
       {{"in", Json::object()}, {"out", Json::array()}, {"protocol", {{"type", "multiclass"}}}}},
      {"classifier", {{"network", "lenet5"}, {"recipe", {{"type", "standard"}}}}},
      {"detectors", Json::array({Json{{"type", "msp"}}})},
      {"attacks", Json::array({Json{{"type", "pgd"}}})},
      {"evaluation", Json::object()}};
}

}  // namespace

ExperimentDraft::ExperimentDraft(QObject* parent)
    : QObject(parent), specification_(freshSpecification()) {}

void ExperimentDraft::load(const Json& specification) {
  specification_ = specification.is_object() ? specification : freshSpecification();
  Q_EMIT loaded();
  Q_EMIT changed();
}

Json ExperimentDraft::part(const std::string& pointer) const {
  const Json::json_pointer where(pointer);
  return specification_.contains(where) ? specification_.at(where) : Json();
}

void ExperimentDraft::setPart(const std::string& pointer, const Json& value) {
  if (part(pointer) == value) return;
  const Json::json_pointer where(pointer);
  if (value.is_null()) {
    Json& parent = specification_[where.parent_pointer()];
    if (parent.is_object()) parent.erase(where.back());
  } else {
    specification_[where] = value;
  }
  Q_EMIT changed();
}

QString ExperimentDraft::name() const {
  const Json value = part("/name");
  return value.is_string() ? QString::fromStdString(value.get<std::string>()) : QString();
}

quint64 ExperimentDraft::seed() const {
  const Json value = part("/seed");
  return value.is_number_integer() ? value.get<quint64>() : 0;
}

QString ExperimentDraft::device() const {
  const Json value = part("/device");
  return value.is_string() ? QString::fromStdString(value.get<std::string>())
                           : QStringLiteral("auto");
}

int ExperimentDraft::threads() const {
  const Json value = part("/threads");
  return value.is_number_integer() ? value.get<int>() : 0;
}

void ExperimentDraft::setIn(const Json& entry) {
  setPart("/data/in", entry);
}

bool ExperimentDraft::addOut(const Json& entry) {
  Json outs = part("/data/out");
  if (!outs.is_array()) outs = Json::array();
  for (const Json& existing : outs) {
    if (existing == entry) return false;
  }
  outs.push_back(entry);
  setPart("/data/out", outs);
  return true;
}

void ExperimentDraft::removeOut(int index) {
  Json outs = part("/data/out");
  if (!outs.is_array() || index < 0 || index >= static_cast<int>(outs.size())) return;
  outs.erase(outs.begin() + index);
  setPart("/data/out", outs);
}

}  // namespace bulwark
