# uv, which Debian does not have, from its wheel; nixpkgs builds it from source.
set -o pipefail
export PATH=/usr/bin:/bin
source "$relocate"
mkdir -p "$out/bin"
python3 -m zipfile -e "$wheel" unpacked
for name in uv uvx; do
  install -m 755 unpacked/uv-*.data/scripts/"$name" "$out/bin/"
  relocate "$out/bin/$name"
done
exit 0
