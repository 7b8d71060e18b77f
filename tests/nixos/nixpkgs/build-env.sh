# nixpkgs' buildEnv (pkgs/build-support/buildenv/builder.pl) in small: a folder that several paths have is merged, anything
# else is a link. Not here: priorities, propagated-user-env-packages, paths that are one file.
shopt -s nullglob dotglob

# Whether what lies at RELATIVE is wanted: it is one of pathsToLink or below one.
is_wanted() {
  local wanted
  for wanted in $pathsToLink; do
    [[ $wanted = / || $1 = "$wanted" || $1 = "$wanted"/* ]] && return 0
  done
  return 1
}

# Whether something below RELATIVE may be wanted: so it is a folder of one's own and no link.
leads_to_wanted() {
  local wanted
  for wanted in $pathsToLink; do
    [[ -z $1 || $wanted = "$1" || $wanted = "$1"/* ]] && return 0
  done
  return 1
}

is_left_out() {
  case $1 in
    /nix-support | /propagated-build-inputs | *info/dir | */perllocal.pod | */log) return 0 ;;
    /share/mime/packages | /share/mime/packages/*) return 1 ;;
    /share/mime/*) return 0 ;;
    *) return 1 ;;
  esac
}

# collide KEPT OTHER: fails, unless the two may collide.
collide() {
  if [ -n "$ignoreCollisions" ]; then
    echo "pkgs.buildEnv warning: colliding subpath (ignored): \`$2' and \`$1'" >&2
  elif [ -z "$checkCollisionContents" ] || ! same_file "$1" "$2"; then
    echo "pkgs.buildEnv error: two given paths contain a conflicting subpath:" >&2
    printf "  \`%s' and\n  \`%s'\n" "$2" "$1" >&2
    exit 1
  fi
}
same_file() { [ "$(stat -Lc %a "$1")" = "$(stat -Lc %a "$2")" ] && cmp -s "$1" "$2"; }

# merge RELATIVE FOLDER…: makes the folder RELATIVE of what lies in the folders, which come in their order.
merge() {
  local relative=$1 folder entry name kept names=() links=() folders=()
  local -A found=()
  shift
  for folder in "$@"; do
    for entry in "$folder"/*; do
      name=${entry##*/}
      [ -n "${found[$name]-}" ] || names+=("$name")
      found[$name]+=$entry$'\n'
    done
  done
  for name in "${names[@]}"; do
    is_left_out "$relative/$name" && continue
    is_wanted "$relative/$name" || leads_to_wanted "$relative/$name" || continue
    folders=() kept=
    while read -r entry; do
      if [ -n "$kept" ] && [ "$kept" -ef "$entry" ]; then
        # One file, found twice: rather itself than a link to it.
        if [ -L "$kept" ] && [ ! -L "$entry" ]; then kept=$entry folders[0]=$entry; fi
      elif [ -z "$kept" ] || { [ -d "$kept" ] && [ -d "$entry" ]; }; then
        kept=${kept:-$entry} folders+=("$entry")
      else
        collide "$kept" "$entry"
      fi
    done <<<"${found[$name]%$'\n'}"
    if [ ${#folders[@]} -gt 1 ] || leads_to_wanted "$relative/$name"; then
      [ -d "$kept" ] || { echo "pkgs.buildEnv error: not a directory: \`$kept'" >&2 && exit 1; }
      merge "$relative/$name" "${folders[@]}"
    elif is_wanted "$relative/$name"; then
      links+=("$kept")
    fi
  done
  is_wanted "$relative" || return 0
  mkdir -p "$out$extraPrefix$relative"
  [ ${#links[@]} = 0 ] || ln -s "${links[@]}" "$out$extraPrefix$relative/"
}

merge "" $paths
for wanted in $pathsToLink; do mkdir -p "$out$extraPrefix$wanted"; done
[ -z "$manifest" ] || ln -s "$manifest" "$out/manifest"
shopt -u nullglob dotglob
eval "$postBuild"
