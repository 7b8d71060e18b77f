# The installation of an interpreter: the compiled CPython in a place of its own. Its store path stands in programs,
# libraries and bytecode; the new one is as long, so it can be written over it. What nixpkgs does after `make install`
# is in the attribute `postInstall`, as there.
[ ${#compiled} = ${#out} ] || { echo "$compiled and $out differ in length" >&2 && exit 1; }
cp -a "$compiled" "$out"
chmod -R u+w "$out"
rm -r "$out"/lib/python*/ensurepip
cp -a "$ensurepip" "$(echo "$out"/lib/python*)/ensurepip"
grep -rlZF "$compiled" "$out" | LC_ALL=C xargs -0 sed -i "s|$compiled|$out|g"
