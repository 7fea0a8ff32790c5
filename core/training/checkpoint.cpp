#include "core/training/checkpoint.h"

#include "core/base/error.h"
#include "core/base/json.h"

namespace bulwark {
namespace {

namespace fs = std::filesystem;

// nlohmann::json writes doubles so that they read back as the same double.
Json toJson(const FitState& state) {
  Json metrics = Json::array();
  for (const auto& metric : state.metrics) {
    metrics.push_back({metric.epoch, metric.name, metric.value});
  }
  Json json = {{"epoch", state.epoch},          {"batch", state.batch},
               {"iteration", state.iteration},  {"loss_sum", state.lossSum},
               {"correct", state.correct},      {"seen", state.seen},
               {"seconds", state.seconds},      {"best_epoch", state.bestEpoch},
               {"best_value", state.bestValue}, {"metrics", metrics}};
  if (state.stage > 0 || state.stageEpochs > 0 || !state.lossParts.empty()) {
    json["stage"] = state.stage;
    json["stage_epochs"] = state.stageEpochs;
    json["loss_parts"] = state.lossParts;
  }
  return json;
}

FitState fromJson(const Json& json) {
  FitState state;
  json.at("epoch").get_to(state.epoch);
  json.at("batch").get_to(state.batch);
  json.at("iteration").get_to(state.iteration);
  json.at("loss_sum").get_to(state.lossSum);
  json.at("correct").get_to(state.correct);
  json.at("seen").get_to(state.seen);
  json.at("seconds").get_to(state.seconds);
  json.at("best_epoch").get_to(state.bestEpoch);
  json.at("best_value").get_to(state.bestValue);
  if (json.contains("stage")) {
    json.at("stage").get_to(state.stage);
    json.at("stage_epochs").get_to(state.stageEpochs);
    json.at("loss_parts").get_to(state.lossParts);
  }
  for (const auto& metric : json.at("metrics")) {
    state.metrics.push_back({metric.at(0).get<std::int64_t>(), metric.at(1).get<std::string>(),
                             metric.at(2).get<double>()});
  }
  return state;
}

}  // namespace

void saveCheckpoint(const fs::path& path, const std::string& identity, const Network& network,
                    const Optimiser& optimiser, const FitState& state) {
  TensorFile file = state.best;
  addModule(file, network, "model.");
  optimiser.save(file, "optimiser.");
  file.metadata["bulwark"] = "training checkpoint 1";
  file.metadata["identity"] = identity;
  file.metadata["state"] = toJson(state).dump();
  file.save(path);
}

bool loadCheckpoint(const fs::path& path, const std::string& identity, Network& network,
                    Optimiser& optimiser, FitState& state, Task& task) {
  std::error_code ignored;
  if (!fs::exists(path, ignored)) return false;
  try {
    const TensorFile file = TensorFile::load(path);
    const auto found = file.metadata.find("identity");
    if (found == file.metadata.end() || !file.metadata.count("state")) {
      throw Error::badInput("this is not a training checkpoint");
    }
    if (found->second != identity) {
      task.log(LogLevel::Warning, "the checkpoint " + path.string() +
                                      " was made with other options, data or another seed; the "
                                      "training starts from the beginning");
      return false;
    }
    FitState read = fromJson(Json::parse(file.metadata.at("state")));
    for (const auto& [name, tensor] : file.tensors) {
      if (name.rfind("best.", 0) == 0) read.best.tensors.emplace(name, tensor);
    }
    loadModule(network, file, path.string(), "model.");
    optimiser.load(file, "optimiser.", path.string());
    state = std::move(read);
    return true;
  } catch (const Error& error) {
    throw Error::failed("the checkpoint is damaged: " + error.problem(), path.string(),
                        "delete it to start the training again");
  } catch (const Json::exception&) {
    throw Error::failed("the checkpoint is damaged: its state cannot be read", path.string(),
                        "delete it to start the training again");
  }
}

}  // namespace bulwark
