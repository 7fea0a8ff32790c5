#include "core/experiment/environment.h"

#include <sys/utsname.h>
#include <torch/version.h>

#include <cstdlib>
#include <thread>

#include "bulwark/version.h"
#include "core/base/text.h"
#include "core/experiment/runner.h"
#include "core/nn/device.h"

namespace bulwark {
namespace {

std::string title(const torch::Device& device) {
  for (const auto& info : listDevices()) {
    if (info.name == device.str()) return info.title;
  }
  return device.str();
}

}  // namespace

Json describeEnvironment(const torch::Device& device, int threads) {
  utsname system{};
  uname(&system);
  const char* waiting = std::getenv("OMP_WAIT_POLICY");
  Json json;
  json["bulwark"] = BULWARK_VERSION;
  json["libtorch"] = TORCH_VERSION;
  json["compiler"] = __VERSION__;
  json["system"] = std::string(system.sysname) + " " + system.release + " " + system.machine;
  json["device"] = device.str();
  json["device_title"] = title(device);
  json["threads"] = threads;
  json["cores"] = std::thread::hardware_concurrency();
  json["omp_wait_policy"] = waiting ? waiting : "";
  const char* kernels = std::getenv("OPENBLAS_CORETYPE");  // products differ between them
  json["openblas_coretype"] = kernels ? kernels : "";
  return json;
}

std::vector<DeviceInfo> listDevices() {
  const auto cores = std::thread::hardware_concurrency();
  std::vector<DeviceInfo> devices = {{"cpu", "CPU, " + std::to_string(cores) + " cores"}};
  for (std::size_t i = 0; i < torch::cuda::device_count(); ++i) {
    devices.push_back({"cuda:" + std::to_string(i), "CUDA device " + std::to_string(i)});
  }
  return devices;
}

void requireDevice(const std::string& name) {
  resolveDevice(name);
}

}  // namespace bulwark
