#include <algorithm>
#include <set>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/nn/safetensors.h"
#include "core/nn/seeded_dropout.h"

namespace bulwark {
namespace {

/// Parameters and buffers under their module names.
std::map<std::string, torch::Tensor> stateOf(const torch::nn::Module& module) {
  std::map<std::string, torch::Tensor> state;
  for (const auto& item : module.named_parameters()) state.emplace(item.key(), item.value());
  for (const auto& item : module.named_buffers()) state.emplace(item.key(), item.value());
  return state;
}

/// What decides the next dropout masks: evaluation needs none of it, weights made elsewhere lack
/// it.
std::set<std::string> maskStateOf(const torch::nn::Module& module) {
  std::set<std::string> names;
  for (const auto& item : module.named_modules("", /*include_self=*/false)) {
    if (!item.value()->as<SeededDropoutImpl>()) continue;
    for (const auto& buffer : item.value()->named_buffers()) {
      names.insert(item.key() + "." + buffer.key());
    }
  }
  return names;
}

std::string describe(const torch::Tensor& tensor) {
  std::vector<std::string> sizes;
  for (const auto size : tensor.sizes()) sizes.push_back(std::to_string(size));
  return std::string("[")
      .append(join(sizes, ", "))
      .append("] ")
      .append(torch::toString(tensor.scalar_type()));
}

/// At most eight names: a wrong file differs in hundreds.
std::string shortList(const std::vector<std::string>& names) {
  constexpr std::size_t shown = 8;
  if (names.size() <= shown) return join(names, ", ");
  return join({names.begin(), names.begin() + shown}, ", ") + " and " +
         std::to_string(names.size() - shown) + " more";
}

}  // namespace

void addModule(TensorFile& file, const torch::nn::Module& module, const std::string& prefix) {
  for (const auto& [name, tensor] : stateOf(module)) {
    // A copy: the caller may go on training while the file is kept.
    file.tensors[prefix + name] =
        tensor.detach()
            .to(torch::kCPU, tensor.scalar_type(), /*non_blocking=*/false, /*copy=*/true)
            .contiguous();
  }
}

void loadModule(torch::nn::Module& module, const TensorFile& file, const std::string& where,
                const std::string& prefix, const std::map<std::string, std::string>& names,
                MaskState masks) {
  std::vector<std::string> missing, leftOver, different;
  std::set<std::string> used;
  std::vector<std::pair<torch::Tensor, torch::Tensor>> copies;
  const auto state = stateOf(module);
  const auto maskState = maskStateOf(module);
  const bool hasMasks = std::any_of(maskState.begin(), maskState.end(), [&](const auto& name) {
    return file.tensors.count(prefix + name) > 0;
  });
  const bool needsMasks = masks == MaskState::Required || hasMasks;
  for (const auto& [name, target] : state) {
    const auto renamed = names.find(name);
    const std::string key = prefix + (renamed == names.end() ? name : renamed->second);
    const auto found = file.tensors.find(key);
    if (found == file.tensors.end()) {
      if (needsMasks || !maskState.count(name)) missing.push_back(key);
      continue;
    }
    used.insert(key);
    const torch::Tensor& source = found->second;
    if (source.sizes() != target.sizes() ||
        source.is_floating_point() != target.is_floating_point()) {
      different.push_back(key + " (" + describe(source) + ", not " + describe(target) + ")");
    }
    copies.emplace_back(target, source);
  }
  for (const auto& [name, tensor] : file.tensors) {
    if (name.rfind(prefix, 0) == 0 && !used.count(name)) leftOver.push_back(name);
  }
  std::vector<std::string> unknown;
  for (const auto& [name, other] : names) {
    if (!state.count(name)) unknown.push_back(name);
  }
  std::vector<std::string> problems;
  if (!missing.empty()) problems.push_back("missing: " + shortList(missing));
  if (!leftOver.empty()) problems.push_back("left over: " + shortList(leftOver));
  if (!different.empty()) problems.push_back("of another shape: " + shortList(different));
  if (!unknown.empty()) problems.push_back("in the name map only: " + shortList(unknown));
  if (!problems.empty()) {
    throw Error::badInput("the weights do not fit the network; " + join(problems, "; "), where,
                          "choose the network they were made for, or map the names");
  }
  const torch::NoGradGuard noGrad;
  for (auto& [target, source] : copies) target.copy_(source);
}

}  // namespace bulwark
