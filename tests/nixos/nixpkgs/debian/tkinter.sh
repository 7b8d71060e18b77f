# The extension module `_tkinter` of CPython's source, which cpython.sh leaves out: compiled with Debian's headers of Tcl and
# Tk, it finds the libraries of both in the store.
set -o pipefail
export PATH=/usr/bin:/bin HOME=$PWD LC_ALL=C.UTF-8
source "$relocate"
tar -xf "$src" --strip-components=1
for deb in $headers; do dpkg-deb -x "$deb" deb; done

python=$compiled/include/$executable
mkdir -p "$out"
gcc -shared -fPIC -O1 -DPy_BUILD_CORE_MODULE -I"$python" -I"$python/internal" -IModules -Ideb/usr/include/tcl8.6 \
  -Ideb/usr/include Modules/_tkinter.c -o "$out/_tkinter.so" -L"$tk/lib" -l:libtk8.6.so -l:libtcl8.6.so
chmod u+w "$out/_tkinter.so"
relocate "$out/_tkinter.so" "$tk/lib"
exit 0
