# The programs of a wheel, of what Debian does not have; nixpkgs builds them from source.
set -o pipefail
export PATH=/usr/bin:/bin
source "$relocate"
mkdir -p "$out/bin"
python3 -m zipfile -e "$wheel" unpacked
install -m 755 unpacked/*.data/scripts/* "$out/bin/"
for file in "$out"/bin/*; do relocate "$file"; done
exit 0
