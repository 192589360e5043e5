# Fetches and unpacks Debian's packages of another release into a folder, without installing them, and starts programs with their libraries.
# A script that sources this has set: name, for messages; list, a file of hashes and paths, which may be missing; home, the folder; suite,
# the release, and packages, what to take of it today where the mirror no longer has the versions of the list; driver, the name of the
# driver's description without its end, as lvp.
root=$home/root
libraries=$root/usr/lib/x86_64-linux-gnu
fail() { echo "$name: $*" >&2; exit 1; }

# The mirror of this machine's apt configuration.
mirror() { apt-get indextargets --format '$(REPO_URI)' | awk '/\/debian\/?$/ && !found { sub(/\/$/, ""); print; found = 1 }'; }

# fetch_pinned MIRROR FOLDER: the packages of the list, each checked by its hash.
fetch_pinned() {
  local triples=() hash path
  while read -r hash path; do
    [[ $hash == '#' ]] || triples+=("$1/${path//+/%2b}" "$2/$(basename "$path")" "SHA256:$hash")
  done <"$list"
  /usr/lib/apt/apt-helper -o APT::Sandbox::User=root download-file "${triples[@]}"
}

# fetch_current MIRROR FOLDER: the packages that the suite has today, with lists and settings of their own.
fetch_current() {
  local lists=$2/apt
  mkdir -p "$lists"/{lists,cache/archives}/partial
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $1 $suite main" >"$lists/sources.list"
  local apt=(apt-get -q -y -o "Dir::Etc::SourceList=$lists/sources.list" -o Dir::Etc::SourceParts=- -o "Dir::State::Lists=$lists/lists"
    -o "Dir::Cache=$lists/cache" -o Dir::State::status=/dev/null -o APT::Sandbox::User=root -o APT::Install-Recommends=false)
  "${apt[@]}" -o APT::Update::Error-Mode=any update &&
    "${apt[@]}" install --download-only "${packages[@]}" &&
    mv "$lists"/cache/archives/*.deb "$2"
}

# Fetches the packages and unpacks them into $root.
unpack() {
  [[ $(uname -sm) == 'Linux x86_64' ]] || fail "this is $(uname -sm), expected Linux x86_64; there the driver is not tested"
  command -v apt-get >/dev/null && command -v dpkg >/dev/null ||
    fail "apt-get and dpkg are missing, which fetch and unpack the packages; this driver is for Debian 12 or later"
  local source work debs
  source=$(mirror)
  [[ -n $source ]] || fail "apt's configuration names no Debian mirror; add one"
  mkdir -p "$home"
  work=$(mktemp -d "$home/tmp-XXXXXX")
  # shellcheck disable=SC2064 # the folder of now
  trap "rm -rf '$work'" EXIT
  debs=$work/debs
  mkdir -p "$debs" "$work/root"
  echo "Fetching packages of Debian $suite from $source ..." >&2
  if ! fetch_pinned "$source" "$debs" >"$work/log" 2>&1; then
    echo "$name: fetching the packages of $list failed; the mirror's current ones are tried" >&2
    rm -f "$debs"/*.deb
    fetch_current "$source" "$debs" >"$work/log" 2>&1 || fail "fetching the packages failed: $(tail -n 1 "$work/log"); check the connection"
  fi
  local deb
  for deb in "$debs"/*.deb; do dpkg -x "$deb" "$work/root"; done
  [[ -n $(loader "$work/root") ]] || fail "the packages hold no dynamic loader; remove $home and try again"
  # The descriptions of the drivers, with the places of their libraries.
  local description
  for description in "$work"/root/usr/share/vulkan/icd.d/*.json; do
    sed "s#\"library_path\": *\"\(.*/\)\?\([^/\"]*\)\"#\"library_path\": \"$libraries/\2\"#" "$description" >"$work/root/$(basename "${description%%_icd*}").json"
  done
  basename -a "$debs"/mesa-vulkan-drivers_*.deb >"$work/root/version"
  rm -rf "$root"
  mv "$work/root" "$root"
}

# Unpacks unless that has been done. One process does it, others wait for it.
install_once() {
  if [[ -e $root/version && -e $root/$driver.json ]]; then return; fi
  mkdir -p "$home"
  exec 9>"$home/lock"
  flock 9
  [[ -e $root/version && -e $root/$driver.json ]] || (unpack)
  exec 9>&-
}

# loader ROOT: the dynamic loader that belongs to the newer libraries.
loader() {
  local file
  for file in "$1"/usr/lib64/ld-linux-x86-64.so.2 "$1"/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2; do
    if [[ -e $file ]]; then echo "$file"; return; fi
  done
}

# start COMMAND ARGUMENT...: becomes the command, started by the loader of the packages, whose libraries need its C library.
start() {
  local command=$1 program sdk first part
  shift
  program=$(readlink -f "$(command -v "$command")") || fail "'$command' is no command; name one that is in the path"
  first=$(loader "$root")
  if [[ $command == dotnet ]]; then
    # dotnet looks for its runtime beside the file that was started, which is the loader here: a folder with the loader and links to the rest.
    sdk=$(dirname "$program")
    first=$home/dotnet/dotnet
    if [[ ! -e $first || $(readlink -f "$home/dotnet/shared") != "$sdk/shared" ]]; then
      mkdir -p "$home/dotnet"
      cp "$(readlink -f "$(loader "$root")")" "$first.$$"
      mv "$first.$$" "$first"
      for part in host shared sdk sdk-manifests templates; do
        [[ ! -e $sdk/$part ]] || ln -sfn "$sdk/$part" "$home/dotnet/$part"
      done
    fi
    export DOTNET_ROOT=$home/dotnet
  fi
  exec "$first" --library-path "$libraries:/usr/lib/x86_64-linux-gnu" "$program" "$@"
}
