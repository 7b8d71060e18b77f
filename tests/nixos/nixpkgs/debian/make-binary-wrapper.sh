# makeBinaryWrapper PROGRAM WRAPPER OPTION…, makeWrapper (the same) and wrapProgram PROGRAM OPTION…, as the hook of that
# name in nixpkgs has them (pkgs/by-name/ma/makeBinaryWrapper).
makeBinaryWrapper() {
  local program=$1 wrapper=$2 size
  shift 2
  [ -x "$program" ] && [ -f "$program" ] || { echo "Cannot wrap '$program' because it is not an executable file" >&2 && exit 1; }
  mkdir -p "$(dirname "$wrapper")"
  printf '%s\0' "$program" "$@" >.wrapper-options
  size=$(stat -c %s .wrapper-options)
  { cat @wrapper@/libexec/wrapper .wrapper-options && printf %08d "$size"; } >.wrapper
  rm -f "$wrapper"
  install -m 755 .wrapper "$wrapper"
  rm .wrapper .wrapper-options
}

makeWrapper() { makeBinaryWrapper "$@"; }

wrapProgram() {
  local program=$1 hidden
  shift
  hidden=$(dirname "$program")/.$(basename "$program")-wrapped
  mv "$program" "$hidden"
  makeBinaryWrapper "$hidden" "$program" --inherit-argv0 "$@"
}
