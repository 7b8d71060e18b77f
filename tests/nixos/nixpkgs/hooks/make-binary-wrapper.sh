# makeBinaryWrapper PROGRAM WRAPPER OPTION…, makeWrapper (the same) and wrapProgram PROGRAM OPTION…, as the hook of that
# name in nixpkgs has them (pkgs/by-name/ma/makeBinaryWrapper). What the options do is in ../debian/binary-wrapper.c.
makeBinaryWrapper() {
  local program=$1 wrapper=$2 words=("$1") count flag scratch
  shift 2
  [ -x "$program" ] && [ -f "$program" ] || { echo "Cannot wrap '$program' because it is not an executable file" >&2 && exit 1; }
  while [ $# -gt 0 ]; do
    case $1 in
      --inherit-argv0 | --resolve-argv0) count=0 ;;
      --argv0 | --unset | --chdir | --add-flag | --append-flag | --add-flags | --append-flags) count=1 ;;
      --set | --set-default) count=2 ;;
      --prefix | --suffix) count=3 ;;
      *) echo "makeBinaryWrapper: Unknown argument $1" >&2 && exit 1 ;;
    esac
    [ $# -gt $count ] || { echo "makeBinaryWrapper: $1 takes $count arguments" >&2 && exit 1; }
    case $1 in
      --add-flags | --append-flags) for flag in $2; do words+=("${1%s}" "$flag"); done ;;
      *) words+=("${@:1:count+1}") ;;
    esac
    shift $((count + 1))
  done
  mkdir -p "$(dirname "$wrapper")"
  scratch=$(mktemp -d)
  printf '%s\0' "${words[@]}" >"$scratch/options"
  { cat @wrapper@/libexec/wrapper "$scratch/options" && printf %08d "$(stat -c %s "$scratch/options")"; } >"$scratch/wrapper"
  rm -f "$wrapper"
  install -m 755 "$scratch/wrapper" "$wrapper"
  rm -r "$scratch"
}

makeWrapper() { makeBinaryWrapper "$@"; }

wrapProgram() {
  local program=$1 hidden
  shift
  hidden=$(dirname "$program")/.$(basename "$program")-wrapped
  while [ -e "$hidden" ]; do hidden=${hidden}_; done
  mv "$program" "$hidden"
  makeBinaryWrapper "$hidden" "$program" --inherit-argv0 "$@"
}
