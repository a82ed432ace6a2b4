#!/bin/sh
# Prepares a clone for its demo and its tests: packages (with their own Node), dist, an engine, the base image, the
# clients. Reports each step, and skips what is already done.
set -eu

suite=bookworm
base_image=debian:$suite-slim
engine_packages='docker.io iptables ca-certificates'
# Programs that the demo and the tests call, each with its Debian package.
clients='curl:curl openssl:openssl python3:python3 go:golang-go javac:default-jdk-headless
ssh:openssh-client psql:postgresql-client
zsh:zsh fish:fish mandoc:mandoc cmake:cmake make:make g++:g++ bats:bats'
# Programs of the local engine, each with its Debian package.
local_programs='runc:runc conmon:conmon tini-static:tini nft:nftables ip:iproute2
newuidmap:uidmap slirp4netns:slirp4netns mmdebstrap:mmdebstrap dnsmasq:dnsmasq-base skopeo:skopeo'
# Libraries of Debian's Java, each with its package: the tests run the client for JUnit.
java_libraries='junit-platform-console:junit5'
# Modules of Debian's Python, each with its package: the tests run the client for pytest.
python_modules='pytest:python3-pytest xdist:python3-pytest-xdist redis:python3-redis'

root=$(CDPATH='' cd -- "${0%/*}/.." && pwd -P)
logs=$root/node_modules/.cache/setup
engine_log=/var/log/testfleet-dockerd.log
engine_socket=/var/run/docker.sock
engine_state=unknown

main() {
  install_packages
  build
  install_programs
  start_engine
  get_base_image
}

say() {
  printf 'setup: %s\n' "$*"
}

fail() {
  printf 'setup: %s\n' "$*" >&2
  exit 1
}

has() {
  command -v "$1" >/dev/null 2>&1
}

# is_stale MADE SOURCE…: whether MADE is missing, or older than one of its sources.
is_stale() {
  made=$1
  shift
  [ ! -e "$made" ] || [ -n "$(find "$@" -newer "$made" -print | head -n 1)" ]
}

# quietly NAME COMMAND…: writes the command's output to a log, which is shown if it fails.
quietly() {
  log=$logs/$1.log
  shift
  mkdir -p "$logs"
  if ! "$@" >"$log" 2>&1 </dev/null; then
    tail -n 40 "$log" >&2
    fail "command failed: $* (its output is in $log)"
  fi
}

### packages, dist

install_packages() {
  node=$root/node_modules/node/bin/node
  if [ -x "$node" ] && ! is_stale "$root/node_modules/.package-lock.json" "$root/package-lock.json"; then return; fi
  has npm || fail 'npm is missing: install Node.js 20 or newer, which includes it (https://nodejs.org)'
  say 'installing the packages, and Node 24 with them: npm ci'
  # npm empties what node_modules links to, which is another clone's.
  if [ -L "$root/node_modules" ]; then rm "$root/node_modules"; fi
  # npm removes node_modules first, so it must not run on the Node in there.
  (cd "$root" && PATH=$(path_without_packages) npm ci --loglevel=error --no-audit --no-fund </dev/null)
  [ -x "$node" ] || fail 'npm did not run the install script of the package "node": set ignore-scripts=false and try again'
}

# npm puts the packages' programs at the front of the PATH for its scripts.
path_without_packages() {
  printf '%s' "$PATH" | tr ':' '\n' | grep -v '/node_modules/' | tr '\n' ':'
}

build() {
  if is_stale "$root/dist/index.js" "$root/src" "$root/tools/build" "$root/tools/build.ts" "$root/package-lock.json"; then
    "$root/node_modules/node/bin/node" "$root/tools/build.ts" || fail 'dist could not be built'
  fi
}

### Debian's packages

# Installs everything at once, so that a user without the permission gets a single message.
install_programs() {
  missing=
  for client in $clients; do
    has "${client%:*}" || missing="$missing ${client#*:}"
  done
  for module in $python_modules; do
    [ -e "/usr/lib/python3/dist-packages/${module%:*}" ] || missing="$missing ${module#*:}"
  done
  for library in $java_libraries; do
    [ -e "/usr/share/java/${library%:*}.jar" ] || missing="$missing ${library#*:}"
  done
  if ! has_engine; then missing="$missing $engine_packages"; fi
  # shellcheck disable=SC2086 # a list
  if [ -n "$missing" ]; then apt_install $missing; fi
  install_local_engine
}

# Without them, the local engine's own tests are left out, so nothing fails where they cannot be installed.
install_local_engine() {
  if [ "$(uname)" != Linux ] || ! has apt-get; then return; fi
  missing=
  for program in $local_programs; do
    has_for_root "${program%:*}" || missing="$missing ${program#*:}"
  done
  if [ -z "$missing" ]; then return; fi
  if ! may_become_root; then
    say "without root, these packages of the local engine are left out, and so are its tests:$missing"
    return
  fi
  # shellcheck disable=SC2086 # a list
  apt_install $missing
}

# Programs for administrators are often not on the PATH of other users.
has_for_root() {
  PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin command -v "$1" >/dev/null 2>&1
}

# apt_install PACKAGE…
apt_install() {
  has apt-get || fail "please install (this machine has no apt-get): $*"
  become_root_for "apt-get install $*"
  if [ -z "${apt_is_updated:-}" ]; then
    quietly apt-get-update as_root apt-get update
    apt_is_updated=yes
  fi
  say "installing with apt-get: $*"
  quietly apt-get-install as_root env DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends "$@"
}

# become_root_for COMMAND: makes sure that as_root works, or prints the command for an administrator.
become_root_for() {
  if may_become_root; then return; fi
  fail "this needs root, and sudo is missing or needs a password. As root, run: $1 — then run this again"
}

may_become_root() {
  [ "$(id -u)" = 0 ] || { has sudo && { sudo -n true 2>/dev/null || { [ -t 0 ] && sudo true; }; }; }
}

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

### the engine

# Whether an engine answers, or would once it is started. Exits when an engine is configured that cannot be used.
has_engine() {
  if engine_answers; then return; fi
  # Installing an engine does not help a user who has chosen another one, or who may not use the existing one.
  if ! engine_is_absent || engine_is_chosen; then
    "$root/bin/testfleet" doctor >&2 || true
    fail 'that engine cannot be used; see above'
  fi
  say 'no container engine answers'
  has dockerd
}

start_engine() {
  if [ "$engine_state" = answers ] || engine_answers; then return; fi
  start_docker
}

# Asks testfleet, which later looks in the same places. Most tests need a container engine, not the local one.
engine_answers() {
  engine=$("$root/bin/testfleet" doctor --json 2>/dev/null) || return 1
  if engine_is_local; then return 1; fi
  engine_state=answers
}

engine_is_absent() {
  case $engine in *'"NO_ENGINE"'*) return 0 ;; *) engine_is_local ;; esac
}

engine_is_local() {
  case $engine in *'"local:'*) return 0 ;; *) return 1 ;; esac
}

engine_is_chosen() {
  [ -n "${DOCKER_HOST:-}${DOCKER_CONTEXT:-}${TESTFLEET_ENGINE:-}" ] ||
    grep -q '"currentContext"' "${DOCKER_CONFIG:-${HOME:-}/.docker}/config.json" 2>/dev/null
}

start_docker() {
  become_root_for 'service docker start'
  dockerd=
  if [ -d /run/systemd/system ]; then
    engine_log='journalctl --unit docker'
    as_root systemctl start docker
  else
    # In a new session, so that it outlives this terminal.
    dockerd=$(as_root sh -c 'setsid dockerd >"$1" 2>&1 </dev/null & echo $!' sh "$engine_log")
  fi
  say "starting Docker Engine, which keeps running; its log: $engine_log"
  seconds=0
  while ! engine_answers; do
    if [ -S "$engine_socket" ] && ! [ -w "$engine_socket" ]; then let_user_in; fi
    seconds=$((seconds + 1))
    if [ "$seconds" -gt 60 ] || { [ -n "$dockerd" ] && ! as_root kill -0 "$dockerd" 2>/dev/null; }; then
      [ -z "$dockerd" ] || as_root tail -n 20 "$engine_log" >&2
      fail "Docker Engine did not start; its log: $engine_log"
    fi
    sleep 1
  done
}

# Access to Docker is equivalent to root, so not every user has it. A user of sudo is already equivalent to root.
let_user_in() {
  user=$(id -un)
  say "letting $user use Docker: usermod --append --groups docker $user; and, until the next login, as the socket's owner"
  as_root usermod --append --groups docker "$user"
  as_root chown "$user" "$engine_socket"
}

### the base image

get_base_image() {
  if engine_has_image; then return; fi
  say "pulling $base_image (for at most a minute)"
  if pull_image && engine_has_image; then return; fi
  has mmdebstrap || has apt-get || fail "please load $base_image into the engine, with docker pull or docker load"
  say "the image cannot be pulled; building it from Debian packages"
  has mmdebstrap || apt_install mmdebstrap
  become_root_for 'apt-get install mmdebstrap'
  archive=$logs/base.tar
  # Packed by root, but readable by the current user.
  quietly mmdebstrap as_root mmdebstrap --variant=minbase --include=ca-certificates "$suite" "$archive"
  import_image "$archive"
  rm -f "$archive"
}

# Uses the docker command if installed, because it also knows TLS and contexts; otherwise the engine's socket.

engine_has_image() {
  if has docker; then
    docker_there 10 image inspect "$base_image" >/dev/null 2>&1
  else
    engine_api 10 "http://engine/images/$base_image/json" >/dev/null 2>&1
  fi
}

pull_image() {
  if has docker; then
    docker_there 60 pull --quiet "$base_image" </dev/null
  else
    engine_api 60 --request POST "http://engine/images/create?fromImage=debian&tag=$suite-slim" >/dev/null
  fi
}

import_image() {
  if has docker; then
    quietly docker-import docker_there 300 import --change 'CMD ["bash"]' "$1" "$base_image"
  else
    quietly docker-import engine_api 300 --request POST --upload-file "$1" \
      "http://engine/images/create?fromSrc=-&repo=debian&tag=$suite-slim&changes=CMD%20%5B%22bash%22%5D"
  fi
}

# docker_there SECONDS ARGUMENT…: the docker command with the engine that testfleet found.
docker_there() {
  seconds=$1
  shift
  socket=$(socket_found)
  if [ -n "$socket" ]; then set -- --host "unix://$socket" "$@"; fi
  # macOS has no timeout(1).
  if has timeout; then timeout "$seconds" docker "$@"; else docker "$@"; fi
}

# engine_api SECONDS OPTION… URL
engine_api() {
  seconds=$1
  shift
  curl --silent --show-error --fail --max-time "$seconds" --unix-socket "$(socket_found)" "$@"
}

# Prints the socket of a local engine; nothing for any other engine.
socket_found() {
  printf '%s' "$engine" | sed -n 's|.*"unix://\([^"]*\)".*|\1|p' | head -n 1
}

main
