# makeShellWrapper PROGRAM WRAPPER OPTION…, makeWrapper (the same) and wrapProgram PROGRAM OPTION…: wrappers that are bash
# scripts (nixpkgs: pkgs/build-support/setup-hooks/make-wrapper.sh). Options are obeyed in their order.

# What a wrapper that extends a list has above its options: `extend --prefix|--suffix VARIABLE SEPARATOR VALUE`. In front a
# value is moved, so that it is there once; behind it is added where it is not in the list.
_extend='extend() {
  local list=$3
  if [ -n "${!2-}" ]; then list=$3${!2}$3; fi
  if [ "$1" = --prefix ]; then
    list=$3$4${list/"$3$4$3"/"$3"}
  elif [[ $list != *"$3$4$3"* ]]; then
    list=$list$4$3
  fi
  list=${list#"$3"}
  export "$2=${list%"$3"}"
}'

makeShellWrapper() {
  local program=$1 wrapper=$2 argv0= before= after= lines=() helper= values value
  shift 2
  [ -x "$program" ] && [ -f "$program" ] || { echo "Cannot wrap '$program' because it is not an executable file" >&2 && exit 1; }
  while [ $# -gt 0 ]; do
    case $1 in
      --set) lines+=("export $2=${3@Q}") && shift 3 ;;
      --set-default) lines+=("export $2=\${$2-${3@Q}}") && shift 3 ;;
      --unset) lines+=("unset $2") && shift 2 ;;
      --chdir) lines+=("cd ${2@Q}") && shift 2 ;;
      --run) lines+=("$2") && shift 2 ;;
      --add-flag) before+=" ${2@Q}" && shift 2 ;;
      --append-flag) after+=" ${2@Q}" && shift 2 ;;
      --add-flags) before+=" $2" && shift 2 ;;
      --append-flags) after+=" $2" && shift 2 ;;
      --argv0) argv0=$2 && shift 2 ;;
      --inherit-argv0) argv0='$0' && shift ;;
      --resolve-argv0) shift ;; # in a script `$0` is a path anyway
      --prefix | --suffix)
        helper=$_extend
        # Each part of the value is one of its own; in front they are put last to first.
        IFS=$3 read -ra values <<<"$4"
        [ "$1" = --suffix ] || mapfile -t values < <(printf '%s\n' "${values[@]}" | tac)
        for value in "${values[@]}"; do lines+=("extend $1 $2 ${3@Q} ${value@Q}"); done
        shift 4
        ;;
      *) echo "makeWrapper doesn't understand the arg $1" >&2 && exit 1 ;;
    esac
  done
  mkdir -p "$(dirname "$wrapper")"
  {
    echo "#! @shell@ -e"
    printf '%s\n' ${helper:+"$helper"} ${lines[@]+"${lines[@]}"}
    echo "exec ${argv0:+-a \"$argv0\"} ${program@Q} $before \"\$@\" $after"
  } >"$wrapper"
  chmod +x "$wrapper"
}

makeWrapper() { makeShellWrapper "$@"; }

wrapProgram() {
  local program=$1 hidden
  shift
  hidden=$(dirname "$program")/.$(basename "$program")-wrapped
  while [ -e "$hidden" ]; do hidden=${hidden}_; done
  mv "$program" "$hidden"
  makeShellWrapper "$hidden" "$program" --inherit-argv0 "$@"
}
