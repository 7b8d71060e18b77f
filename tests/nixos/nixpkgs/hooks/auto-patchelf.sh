# nixpkgs' autoPatchelfHook in small (pkgs/by-name/au/auto-patchelf): after the fixup each ELF file of the outputs gets the
# loader and a run path of the folders that hold what it needs. glibc's are found without, and stay out. The run paths of
# the libraries themselves are not searched here.
_autoPatchelfLibs=()
_gatherLibraries() { _autoPatchelfLibs+=("$1/lib"); }
addEnvHooks 0 _gatherLibraries

# addAutoPatchelfSearchPath FOLDER…: all folders below them that hold a library.
addAutoPatchelfSearchPath() {
  local folder
  while IFS= read -r folder; do
    _autoPatchelfLibs+=("$folder")
  done < <(find "$@" ! -type d \( -name '*.so' -o -name '*.so.*' \) -printf '%h\n' | uniq)
}

# _autoPatchelfFile FILE: adds "SONAME FILE" to `missing` for what nobody has.
_autoPatchelfFile() {
  local file=$1 magic soname folder path=()
  IFS= LC_ALL=C read -r -N 4 magic <"$file" 2>/dev/null || return 0
  [ "$magic" = $'\x7fELF' ] || return 0
  @patchelf@ --print-needed "$file" >/dev/null 2>&1 || return 0 # it is static
  if @patchelf@ --print-interpreter "$file" >/dev/null 2>&1; then
    @patchelf@ --set-interpreter @loader@ "$file"
    # Programs find what they open themselves; nixpkgs gives it to programs alone.
    for folder in ${runtimeDependencies-}; do path+=("$folder/lib"); done
  fi
  while read -r soname; do
    [[ -n $soname && $soname != /* && ! -e $libc/$soname ]] || continue
    folder=${own[$soname]-}
    if [ -z "$folder" ]; then
      for folder in "${_autoPatchelfLibs[@]}" ""; do [ ! -e "$folder/$soname" ] || break; done
    fi
    if [ -n "$folder" ]; then path+=("$folder"); else missing+=("$soname $file"); fi
  done < <(@patchelf@ --print-needed "$file")
  for folder in ${appendRunpaths-}; do path+=("$folder"); done
  [ ${#path[@]} -gt 0 ] || return 0
  @patchelf@ --set-rpath "$(printf '%s\n' "${path[@]}" | awk '!seen[$0]++' | paste -sd :)" "$file"
}

# autoPatchelf FOLDER…: all files below them; fails, after the last, where something is missing that need not be.
autoPatchelf() {
  local file name entry pattern ignored=() missing=() failed= libc=@loader@
  local -A own=()
  libc=${libc%/*}
  while IFS= read -r -d '' file; do
    name=${file##*/}
    own[$name]=${own[$name]-${file%/*}}
  done < <(find "$@" ! -type d -name '*.so*' -print0 | sort -z)
  while IFS= read -r -d '' file; do _autoPatchelfFile "$file"; done < <(find "$@" -type f -print0)

  read -ra ignored <<<"${autoPatchelfIgnoreMissingDeps-}"
  for entry in "${missing[@]}"; do
    for pattern in "${ignored[@]}" ""; do
      [ "$pattern" != 1 ] || pattern='*' # `true`, an old way to say so
      [[ ${entry%% *} != $pattern ]] || break
    done
    [ -n "$pattern" ] || failed+="error: auto-patchelf could not satisfy dependency ${entry%% *} wanted by ${entry#* }"$'\n'
  done
  [ -z "$failed" ] || { echo "$failed" >&2 && exit 1; }
}

_autoPatchelfPostFixup() {
  local output folders=()
  [ -z "${dontAutoPatchelf-}" ] || return 0
  for output in $outputs; do [ ! -e "${!output}" ] || folders+=("${!output}"); done
  autoPatchelf "${folders[@]}"
}
postFixupHooks+=(_autoPatchelfPostFixup)
