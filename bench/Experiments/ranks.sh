# Sourced by the experiments on ranks: a small data set, jobs of several ranks by Open MPI and MPICH, and two hosts on this machine,
# which are two network namespaces that a pair of virtual interfaces joins. Everything is taken away when the script ends.
# shellcheck shell=bash
here=$(CDPATH='' cd -P -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd)
dll=$here/Deit.Cli/bin/Release/net10.0/deit.dll
read -ra mpis <<<"${MPIS:-openmpi mpich}"
declare -A title=([openmpi]="Open MPI" [mpich]=MPICH)
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
# Kernels are not measured: their choice would decide the bits, and the time of the first epoch.
export DEIT_TUNE=0

require() {
  local program
  ((EUID == 0)) || { echo "$1: namespaces and mounts need root" >&2; exit 1; }
  for program in mpirun.openmpi mpirun.mpich ip tc mount; do
    command -v "$program" >/dev/null || { echo "$1: $program is missing; install openmpi-bin, mpich and iproute2" >&2; exit 1; }
  done
  # shellcheck source=../../setup.sh
  source "$here/setup.sh"
  build Deit.Cli Deit.Cli/bin/Release/net10.0/deit.dll
  require_vulkan
  work=$(mktemp -d)
  trap clean EXIT
  trap 'exit 130' INT TERM
}

deit() { dotnet "$dll" "$@"; }

# deit_processes: those of a rank, not of a launcher, whose run lies in the work folder.
deit_processes() { pgrep -f "^dotnet $dll train .*--output $work/" || true; }

clean() {
  set +e
  local host
  [[ -z ${job:-} ]] || kill -KILL "$job" 2>/dev/null
  deit_processes | xargs -r kill -KILL
  for host in a b; do
    ip netns pids "deit-ranks-$host" 2>/dev/null | xargs -r kill -KILL
    ip netns del "deit-ranks-$host" 2>/dev/null
    rm -rf "/etc/netns/deit-ranks-$host"
  done
  rmdir --ignore-fail-on-non-empty /etc/netns 2>/dev/null
  if mountpoint -q "$work/disk"; then umount -l "$work/disk"; fi
  rm -rf "$work"
}

# Hosts deit-a and deit-b, and a program that takes the place of ssh between them.
hosts_up() {
  local host
  for host in a b; do
    ip netns add "deit-ranks-$host"
    mkdir -p "/etc/netns/deit-ranks-$host"
    printf '127.0.0.1 localhost\n10.78.0.1 deit-a\n10.78.0.2 deit-b\n' >"/etc/netns/deit-ranks-$host/hosts"
    ip -n "deit-ranks-$host" link set lo up
  done
  ip -n deit-ranks-a link add wire type veth peer name wire netns deit-ranks-b
  ip -n deit-ranks-a addr add 10.78.0.1/24 dev wire
  ip -n deit-ranks-b addr add 10.78.0.2/24 dev wire
  link up
  cat >"$work/on" <<'END'
#!/usr/bin/env bash
# on [OPTIONS OF SSH] deit-a|deit-b COMMAND...
while [[ $1 == -* ]]; do shift; done
host=$1; shift
exec ip netns exec "deit-ranks-${host#deit-}" unshare -u bash -c "hostname $host; exec bash -c '${*//\'/\'\\\'\'}'"
END
  chmod +x "$work/on"
}

link() {
  ip -n deit-ranks-a link set wire "$1"
  ip -n deit-ranks-b link set wire "$1"
}

rate() {
  local host
  for host in a b; do ip netns exec "deit-ranks-$host" tc qdisc replace dev wire root tbf rate "$1" burst 256kb latency 100ms; done
}

# start MPI WHERE RANKS COMMAND...: a job; rank i starts in the folder $work/rank-i with the flags of ${own[i]}. WHERE is "here" or "hosts": a
# rank on each. ${launcher[@]} are more flags of mpirun. Sets $job, the number of mpirun, whose output is $work/output.
start() {
  local mpi=$1 where=$2 ranks=$3 rank words=() all=()
  shift 3
  case $mpi in
  openmpi) words=(mpirun.openmpi --allow-run-as-root --oversubscribe --bind-to none) ;;
  mpich) words=(mpirun.mpich) ;;
  esac
  if [[ $where == hosts ]]; then
    case $mpi in
    openmpi) words+=(--mca plm_rsh_agent "$work/on") ;;
    mpich) words+=(-launcher-exec "$work/on" -hosts deit-a,deit-b -genv UCX_TLS tcp,self) ;; # else it shares memory across namespaces
    esac
  fi
  words+=("${launcher[@]}")
  for ((rank = 0; rank < ranks; rank++)); do
    mkdir -p "$work/rank-$rank"
    if ((rank > 0)); then all+=(:); fi
    all+=(-wdir "$work/rank-$rank" -n 1)
    if [[ $where == hosts && $mpi == openmpi ]]; then all+=(-host "deit-$([[ $rank == 0 ]] && echo a || echo b)"); fi
    # shellcheck disable=SC2206
    all+=(dotnet "$dll" "$@" ${own[rank]:-})
  done
  if [[ $where == hosts ]]; then
    ip netns exec deit-ranks-a unshare -u bash -c 'hostname deit-a; exec "$@"' mpirun "${words[@]}" "${all[@]}" >"$work/output" 2>&1 </dev/null &
  else
    "${words[@]}" "${all[@]}" >"$work/output" 2>&1 </dev/null &
  fi
  job=$!
}

# What the page says of the machine.
machine() {
  echo "Device: $(deit devices | sed -nE 's/^ *driver +//p' | sed -n '1s/ *$//p'), $(nproc) cores of $(sed -nE 's/^model name\s*: //p' /proc/cpuinfo | head -n 1), Linux $(uname -r)."
  echo "$(mpirun.openmpi --version | sed -nE 's/^.*\(OpenRTE\) /Open MPI /p'), $(mpirun.mpich --version | sed -nE 's/^ *Version: +/MPICH /p'). Load averages at the end, 1, 5 and 15 minutes: $(cut -d ' ' -f 1-3 /proc/loadavg). $(date -u +%F)."
}
