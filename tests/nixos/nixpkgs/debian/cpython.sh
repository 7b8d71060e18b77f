# CPython compiled as nixpkgs has it: a shared libpython, zlib and its like as extension modules that find their libraries
# in the store. The compiler is the building machine's. What takes no compiler is added by install-python.sh.
set -o pipefail
export PATH=/usr/bin:/bin HOME=$PWD LC_ALL=C.UTF-8 SOURCE_DATE_EPOCH=315532800
source "$relocate"
tar -xf "$src" --strip-components=1

# Debian's headers, and names for the linker that lead to the libraries of the store.
mkdir -p dev/lib
for deb in $headers; do dpkg-deb -x "$deb" dev/deb; done
ln -s deb/usr/include dev/include
folders=()
for package in $needs; do
  folders+=("$package/lib")
  for library in "$package"/lib/lib*.so.*; do
    name=$(basename "$library")
    ln -sf "$library" "dev/lib/${name%%.so.*}.so"
  done
done

log() {
  "$@" >>build.log 2>&1 || { tail -40 build.log >&2 && exit 1; }
}
log env PKG_CONFIG=false CPPFLAGS="-I$PWD/dev/include -I$PWD/dev/include/x86_64-linux-gnu" \
  LDFLAGS="-L$PWD/dev/lib -Wl,-rpath,$out/lib" \
  ./configure --prefix="$out" --enable-shared --with-system-expat --with-openssl="$PWD/dev" \
  --disable-test-modules --with-ensurepip=no
log make -j"$(nproc)"
log make altinstall
chmod -R u+w "$out"

for file in $(elf_files "$out/bin" "$out/lib"); do relocate "$file" "$out/lib" "${folders[@]}"; done
# Only for embedding Python, and large.
rm -rf "$out/lib/$executable"/config-* "$out/lib/pkgconfig" "$out"/lib/lib*.a

# In the store every file is of 1970, so bytecode must not depend on times.
find "$out" -name '*.pyc' -delete
log "$out/bin/$executable" -I -m compileall -q -j 2 --invalidation-mode unchecked-hash "$out/lib/$executable"

missing=$("$out/bin/$executable" -I -c '
import importlib
for name in "bz2 ctypes curses hashlib lzma readline sqlite3 ssl uuid _uuid zlib pyexpat".split():
    try: importlib.import_module(name)
    except ImportError as error: print(error)
')
[ -z "$missing" ] || { echo "$missing" >&2 && exit 1; }
exit 0
