# The `dev` output of a library of Debian's: its headers, and the name by which the linker finds it.
export PATH=/usr/bin:/bin
mkdir -p "$out/lib" "$out/nix-support"
for deb in $debs; do dpkg-deb -x "$deb" root; done
cp -r root/usr/include "$out/"
for file in "$library"/lib/lib*.so.*; do
  name=$(basename "$file")
  ln -sf "$file" "$out/lib/${name%%.so.*}.so"
done
echo "$library" >"$out/nix-support/propagated-build-inputs"
exit 0
