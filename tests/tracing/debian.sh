#!/bin/bash
# Brings files from Debian's archive, by the settings of apt, with a private state of apt in DIR.
#
#   debian.sh DIR contents               the libraries of each package, into DIR/contents
#   debian.sh DIR download FOLDER NAME…  packages into FOLDER
#   debian.sh DIR root FOLDER NAME…      packages with all that they depend on, unpacked into FOLDER
set -euo pipefail
. "$(dirname "$0")/../nixos/apt.sh"
dir=$1 what=$2
shift 2
mkdir -p "$dir"

# private_apt brings the lists; once is enough.
if [ -e "$dir/lists" ]; then
  retry_again=$(declare -f retry)
  retry() { :; }
  private_apt "$dir" "deb bookworm"
  eval "$retry_again"
else
  private_apt "$dir" "deb bookworm"
  touch "$dir/lists"
fi

case $what in
  contents)
    retry "${apt[@]}" update \
      -o 'Acquire::IndexTargets::deb::Contents-deb::MetaKey=$(COMPONENT)/Contents-$(ARCHITECTURE)' \
      -o 'Acquire::IndexTargets::deb::Contents-deb::ShortDescription=Contents' \
      -o 'Acquire::IndexTargets::deb::Contents-deb::Description=Contents'
    for file in "$dir"/state/lists/*Contents-amd64*; do
      /usr/lib/apt/apt-helper cat-file "$file" | grep -aE '^(usr/)?lib/(x86_64-linux-gnu/.*)?[^/]*\.so'
    done >"$dir/contents.new"
    rm -f "$dir"/state/lists/*Contents-*
    mv "$dir/contents.new" "$dir/contents"
    ;;
  download)
    cd "$1"
    shift
    retry "${apt[@]}" download "$@" >/dev/null
    ;;
  root)
    folder=$1
    shift
    retry "${apt[@]}" --download-only install "$@" >/dev/null
    mkdir -p "$folder"/usr/{bin,sbin,lib,lib64}
    for name in bin sbin lib lib64; do ln -sfn "usr/$name" "$folder/$name"; done
    for deb in "$dir"/cache/archives/*.deb; do
      dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$folder" --keep-directory-symlink --no-same-owner
    done
    ;;
esac
