# nixpkgs' $stdenv/setup in small (pkgs/stdenv/generic/setup.sh): PATH and hooks of the inputs, then the build. It is read
# by the builders and by `nix develop`.
export SHELL=@bash@/bin/bash CONFIG_SHELL=@bash@/bin/bash SOURCE_DATE_EPOCH=315532800
PATH=
envHooks=()
: "${outputs:=out}"

# addEnvHooks OFFSET FUNCTION…: each is called with every input, once all are known.
addEnvHooks() {
  shift
  envHooks+=("$@")
}

# The function NAME, else the text of the variable; then each of the array NAMEHooks, to which setup hooks add.
runHook() {
  local hook hooks="${1%Hook}Hooks[@]"
  if declare -F "$1" >/dev/null; then "$1"; else eval "${!1-}"; fi
  for hook in "${!hooks}"; do eval "$hook"; done
}

# An input, once, with what it propagates: its programs, and its setup hook.
_addInput() {
  local input propagated
  case " $_inputs " in *" $1 "*) return 0 ;; esac
  _inputs="$_inputs $1"
  [ ! -d "$1/bin" ] || PATH=${PATH:+$PATH:}$1/bin
  [ ! -f "$1/nix-support/setup-hook" ] || source "$1/nix-support/setup-hook"
  if [ -f "$1/nix-support/propagated-build-inputs" ]; then
    propagated=$(<"$1/nix-support/propagated-build-inputs")
    for input in $propagated; do _addInput "$input"; done
  fi
}
_inputs=
for _input in ${nativeBuildInputs-} ${propagatedNativeBuildInputs-} ${buildInputs-} ${propagatedBuildInputs-}; do
  _addInput "$_input"
done
for _hook in "${envHooks[@]}"; do
  for _input in $_inputs; do "$_hook" "$_input"; done
done
for _input in @initialPath@; do PATH=${PATH:+$PATH:}$_input/bin; done
export PATH
unset _input _hook

# --- the phases; those of nixpkgs that need a compiler do nothing but run their hooks ---

unpackPhase() {
  runHook preUnpack
  [ -n "${src-}" ] || { echo 'variable $src should point to the source' >&2 && exit 1; }
  if [ -d "$src" ]; then
    cp -r "$src" source
    chmod -R u+w source
  else
    mkdir unpacked
    tar -xf "$src" -C unpacked
    mv unpacked/* source
  fi
  sourceRoot=${sourceRoot-source}
  runHook postUnpack
}

patchPhase() { runHook prePatch && runHook postPatch; }
configurePhase() { runHook preConfigure && runHook postConfigure; }
buildPhase() { runHook preBuild && runHook postBuild; }
installPhase() { runHook preInstall && runHook postInstall; }

# What others shall find when this is their input, and the hooks that look at what was installed.
fixupPhase() {
  local output inputs="${propagatedBuildInputs-} ${propagatedNativeBuildInputs-}"
  for output in $outputs; do
    [ ! -e "${!output}" ] || chmod -R u+w "${!output}"
  done
  runHook preFixup
  if [ -n "${inputs// /}" ]; then
    mkdir -p "$out/nix-support"
    echo "$inputs" >"$out/nix-support/propagated-build-inputs"
  fi
  if [ -n "${setupHook-}" ]; then
    mkdir -p "$out/nix-support"
    cat "$setupHook" >"$out/nix-support/setup-hook"
  fi
  runHook postFixup
}

# A phase is the text of the variable of that name, else the function. `dont…` leaves one out.
runPhase() {
  local dont=${1%Phase}
  dont=dont${dont^}
  [ -z "${!dont-}" ] || return 0
  eval "${!1:-$1}"
  [ "$1" != unpackPhase ] || cd "${sourceRoot:-.}"
}

genericBuild() {
  local phase
  if [ -n "${buildCommandPath-}" ]; then
    source "$buildCommandPath"
  elif [ -n "${buildCommand-}" ]; then
    eval "$buildCommand"
  else
    for phase in ${phases:-${prePhases-} unpackPhase patchPhase configurePhase buildPhase installPhase fixupPhase \
      ${preDistPhases-}}; do
      runPhase "$phase"
    done
  fi
}
