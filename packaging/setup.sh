# Sourced by ./run and ./test: packages, configure, build. Expects $root and $assume_yes.
# shellcheck shell=bash

packages=(
  build-essential cmake ninja-build ccache pkg-config clang-format-14
  libtorch-dev libopenblas0-openmp
  qt6-base-dev qt6-svg-dev libgl-dev libqcustomplot-dev libqcustomplot2.1-qt6
  libsqlite3-dev libopencv-dev libsvm-dev nlohmann-json3-dev libcli11-dev zlib1g-dev
  dataset-fashion-mnist fonts-dejavu-core
)

say() { printf '%s\n' "$*" >&2; }

installed() { [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

install_packages() {
  local missing=() package answer sudo=()
  for package in "${packages[@]}"; do
    installed "$package" || missing+=("$package")
  done
  [ ${#missing[@]} -eq 0 ] && return 0
  if ! command -v apt-get >/dev/null; then
    say "These packages are missing and this system has no apt-get: ${missing[*]}"
    return 1
  fi
  say "Missing packages: ${missing[*]}"
  if [ "$assume_yes" != yes ] && [ -t 0 ]; then
    read -r -p "Install them now? [Y/n] " answer
    case "$answer" in [nN]*) say "Nothing was installed."; return 1 ;; esac
  fi
  [ "$(id -u)" -eq 0 ] || sudo=(sudo)
  "${sudo[@]}" apt-get update -qq
  "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

# build TARGET...: configures once, builds what changed.
build() {
  local tree=$root/build/release
  [ -f "$tree/build.ninja" ] || cmake -S "$root" --preset release >/dev/null
  # A file that needs LibTorch takes about 1 GiB to compile: no more at once than memory allows.
  local jobs memory
  jobs=$(nproc)
  memory=$(awk '/MemAvailable/ {print int($2 / 1572864)}' /proc/meminfo)
  [ "$memory" -ge "$jobs" ] || jobs=$((memory > 0 ? memory : 1))
  cmake --build "$tree" -j "$jobs" --target "$@" >&2
}

# Spinning OpenMP threads cost up to 45 times on a busy machine.
export OMP_WAIT_POLICY=${OMP_WAIT_POLICY:-passive}
# With OpenBLAS's AVX-512 kernels the product of a row depends on the batch that it is in, which
# rank saturation must not; bulwark-cli sets the same.
if grep -qw avx2 /proc/cpuinfo && grep -qw fma /proc/cpuinfo; then
  export OPENBLAS_CORETYPE=${OPENBLAS_CORETYPE:-Haswell}
fi
