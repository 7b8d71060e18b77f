# A virtual environment of links to the files of $packages; two that bring one file need $venvIgnoreCollisions.
"$interpreter" -I -m venv --without-pip --symlinks "$out"
for package in $packages; do
  while IFS= read -r -d '' file; do
    if [ -e "$out/$file" ] || [ -L "$out/$file" ]; then
      [ "$venvIgnoreCollisions" = "*" ] || { echo "$package and another bring $file" >&2 && exit 1; }
      continue
    fi
    mkdir -p "$(dirname "$out/$file")"
    if [[ $file == bin/* ]] && [ "$(head -c 2 "$package/$file")" = "#!" ]; then
      # A console script starts the environment's Python.
      sed "1s|^#!.*|#!$out/bin/python|" "$package/$file" >"$out/$file"
      chmod +x "$out/$file"
    else
      ln -s "$package/$file" "$out/$file"
    fi
  done < <(cd "$package" && find bin lib \( -type f -o -type l \) -print0 2>/dev/null)
done
