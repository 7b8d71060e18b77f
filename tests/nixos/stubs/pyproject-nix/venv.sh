# A virtual environment of links to the files of $packages; two that bring one file need $venvIgnoreCollisions.
"$interpreter" -I -m venv --without-pip --symlinks "$out"
files_of() { (cd "$1" && find bin lib \( -type f -o -type l \) 2>/dev/null | LC_ALL=C sort); }
for package in $packages; do
  twice=$(LC_ALL=C comm -12 <(files_of "$out") <(files_of "$package"))
  if [ -n "$twice" ] && [ "$venvIgnoreCollisions" != "*" ]; then
    echo "$package and another bring ${twice%%$'\n'*}" >&2
    exit 1
  fi
  for folder in bin lib; do
    [ ! -d "$package/$folder" ] || cp -rsn --no-preserve=mode "$package/$folder" "$out/"
  done
  for program in "$package"/bin/*; do
    own=$out/bin/${program##*/}
    if [ "$(readlink "$own")" = "$program" ] && [ "$(head -c 2 "$program")" = "#!" ]; then
      # A console script starts the environment's Python.
      sed -i "1s|^#!.*|#!$out/bin/python|" "$own"
    fi
  done
done
