# Sourced by ./deit and ./test: builds what is out of date and makes sure that there is what it runs on.
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1

# build PROJECT OUTPUT: Release, only when a source is newer than the output.
build() {
  command -v dotnet >/dev/null || { echo "deit: the .NET 10 SDK is missing; install it from https://dotnet.microsoft.com/download" >&2; exit 1; }
  local output=$here/$2
  if [[ -e $output && -z $(newer_source "$1" "$output") ]]; then
    return
  fi
  local log
  log=$(mktemp)
  echo "Building ..." >&2
  if ! dotnet build "$here/$1" -c Release --nologo -v quiet >"$log" 2>&1; then
    cat "$log" >&2
    exit 1
  fi
  rm -f "$log"
  touch "$output"
}

# newer_source PROJECT OUTPUT: a source that is newer than the output. Only folders of sources are looked through, since data and
# runs of users lie in a checkout, too.
newer_source() {
  local folders=(Deit.Gpu Deit.Model Deit.Model.AspNetCore Deit.Model.OnnxRuntime Deit.Train Deit.Cli shaders bench)
  [[ $1 != . ]] || folders+=(Deit.Model.ImageSharp samples tests)
  find "${folders[@]/#/$here/}" "$here"/Directory.* "$here"/*.sln \( -name bin -o -name obj -o -name results \) -prune -o -type f \
    \( -name '*.cs' -o -name '*.csproj' -o -name '*.props' -o -name '*.targets' -o -name '*.sln' -o -name '*.spv' -o -name '*.comp' -o -name '*.glsl' \
    -o -name '*.html' -o -name '*.css' -o -name '*.json' -o -name '*.txt' -o -name '*.ttf' -o -path "$here/tests/*.safetensors" \) \
    -newer "$2" -print -quit
}

# A driver announces itself by a file; a file without its library, or a loader without files, is no device.
has_vulkan() {
  # No pipe into grep -q: it would end ldconfig by SIGPIPE now and then, which pipefail takes for "not found".
  local libraries
  libraries=$(PATH=$PATH:/usr/sbin:/sbin ldconfig -p 2>/dev/null) || return 1
  [[ $libraries == *libvulkan.so.1* ]] || return 1
  [[ -n ${VK_DRIVER_FILES:-}${VK_ICD_FILENAMES:-} ]] && return 0
  compgen -G '/usr/share/vulkan/icd.d/*.json' >/dev/null || compgen -G '/usr/local/share/vulkan/icd.d/*.json' >/dev/null ||
    compgen -G '/etc/vulkan/icd.d/*.json' >/dev/null || compgen -G "${HOME:-}/.local/share/vulkan/icd.d/*.json" >/dev/null
}

# Installs the Vulkan loader and Mesa's CPU driver (and the validation layers where they are asked for) when they are missing.
require_vulkan() {
  local packages=()
  has_vulkan || packages+=(libvulkan1 mesa-vulkan-drivers)
  if [[ ${DEIT_VALIDATION:-} == 1 ]] && ! compgen -G '/usr/share/vulkan/explicit_layer.d/*khronos_validation*.json' >/dev/null && [[ -z ${VK_LAYER_PATH:-} ]]; then
    packages+=(vulkan-validationlayers)
  fi
  install_packages "a Vulkan driver for your graphics card, or Mesa's CPU driver (lavapipe)" "${packages[@]}"
}

# Installs what the tests of samples and packages run: a linker for native programs, a display without a screen, GTK, a browser; and the
# two MPIs by which processes train together.
require_sample_tools() {
  local packages=() libraries
  libraries=$(PATH=$PATH:/usr/sbin:/sbin ldconfig -p 2>/dev/null) || true
  command -v clang >/dev/null || command -v gcc >/dev/null || packages+=(clang)
  command -v Xvfb >/dev/null || packages+=(xvfb)
  command -v chromium >/dev/null || packages+=(chromium)
  [[ $libraries == *libgtk-3.so.0* ]] || packages+=(libgtk-3-0)
  [[ $libraries == *libXtst.so.6* ]] || packages+=(libxtst6)
  command -v mpirun.openmpi >/dev/null || packages+=(openmpi-bin)
  command -v mpirun.mpich >/dev/null || packages+=(mpich)
  install_packages "clang, Xvfb, Chromium, GTK 3, Open MPI and MPICH" "${packages[@]}"
}

# install_packages WHAT PACKAGES...: with apt; where there is none, says what to install.
install_packages() {
  local what=$1
  shift
  [[ $# -gt 0 ]] || return 0
  if ! command -v apt-get >/dev/null; then
    echo "deit: something is missing; install $what" >&2
    return 0
  fi
  local sudo=()
  [[ $(id -u) == 0 ]] || sudo=(sudo)
  echo "Installing $* ..." >&2
  if ! { "${sudo[@]}" apt-get -qq update && DEBIAN_FRONTEND=noninteractive "${sudo[@]}" apt-get -qq install -y --no-install-recommends "$@"; } >/dev/null 2>&1; then
    echo "deit: installing $* failed; run: apt-get install $*" >&2
  fi
}
