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

# apt brings the lists once; without them every command would start with that.
if [ -e "$dir/contents" ]; then
  brought=$(declare -f retry)
  retry() { :; }
  private_apt "$dir" "deb bookworm"
  eval "$brought"
else
  private_apt "$dir" "deb bookworm"
  retry "${apt[@]}" update \
    -o 'Acquire::IndexTargets::deb::Contents-deb::MetaKey=$(COMPONENT)/Contents-$(ARCHITECTURE)' \
    -o 'Acquire::IndexTargets::deb::Contents-deb::ShortDescription=Contents' \
    -o 'Acquire::IndexTargets::deb::Contents-deb::Description=Contents'
  for file in "$dir"/state/lists/*Contents-amd64*; do
    /usr/lib/apt/apt-helper cat-file "$file" | grep -a 'lib/x86_64-linux-gnu/.*\.so'
  done >"$dir/contents.new"
  rm -f "$dir"/state/lists/*Contents-*
  mv "$dir/contents.new" "$dir/contents"
fi

case $what in
  contents) ;;
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
