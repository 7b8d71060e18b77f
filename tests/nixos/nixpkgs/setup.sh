# nixpkgs' $stdenv/setup in small (pkgs/stdenv/generic/setup.sh): PATH and hooks of the inputs, then the build. It is read
# by the builders and by `nix develop`.
export SHELL=@bash@/bin/bash CONFIG_SHELL=@bash@/bin/bash SOURCE_DATE_EPOCH=315532800
PATH=
envHooks=()

# addEnvHooks OFFSET FUNCTION…: each is called with every input, once all are known.
addEnvHooks() {
  shift
  envHooks+=("$@")
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

# The phase or hook NAME: a function of that name, else the text of the variable.
runPhase() {
  if declare -F "$1" >/dev/null; then "$1"; else eval "${!1-}"; fi
}
runHook() { runPhase "$1"; }

genericBuild() {
  local phase
  if [ -n "${buildCommandPath-}" ]; then
    source "$buildCommandPath"
  elif [ -n "${buildCommand-}" ]; then
    eval "$buildCommand"
  else
    for phase in ${phases:-buildPhase installPhase}; do runPhase "$phase"; done
  fi
}
