# The folder ensurepip of the compiled CPython, with the files that it puts into a virtual environment, and copy_pip.py,
# which copies them.
set -o pipefail
export PATH=/usr/bin:/bin HOME=$PWD LC_ALL=C.UTF-8
python=$compiled/bin/$executable
cp -r "$compiled/lib/$executable/ensurepip" "$out"
chmod -R u+w "$out"

"$python" -I -m venv venv
mkdir "$out/scripts"
mv venv/bin/pip* "$out/scripts/"
sed -i 1d "$out"/scripts/* # names the Python of this virtual environment
cp "$copy" "$out/_copy_pip.py"
echo 'from ensurepip._copy_pip import copy_pip as _run_pip' >>"$out/__init__.py"

# In the store every file is of 1970, so bytecode must not depend on times.
cd "venv/lib/$executable/site-packages"
find . "$out" -name '*.pyc' -delete
"$python" -I -m compileall -q --invalidation-mode unchecked-hash .
"$python" -I -m compileall -q --invalidation-mode unchecked-hash -s "$out" -p "$compiled/lib/$executable/ensurepip" "$out"
"$python" -I -m zipfile -c "$out/site-packages.zip" ./*
exit 0
