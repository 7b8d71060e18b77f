# Makes one package of Debian's: the programs and shared libraries of `$debs` in `$out` (libraries in `$lib`, where there
set -o pipefail
export PATH=/usr/bin:/bin:/usr/sbin:/sbin
source "$relocate"

# Debian has merged /bin and /lib into /usr, while some packages still name the old places.
mkdir -p root/usr/{bin,sbin,lib,lib64}
for name in bin sbin lib lib64; do ln -s "usr/$name" "root/$name"; done
for deb in $debs; do
  dpkg-deb --fsys-tarfile "$deb" | tar -x -C root --keep-directory-symlink --no-same-owner
done

for output in $outputs; do mkdir -p "${!output}"; done
libraries=${lib:-$out}/lib
mkdir -p "$out/bin" "$libraries"
for folder in root/usr/bin root/usr/sbin; do
  for name in ${programs:-$(ls "$folder")}; do
    [ ! -e "$folder/$name" ] || cp -a "$folder/$name" "$out/bin/"
  done
done
if [ -d root/usr/lib/x86_64-linux-gnu ]; then
  find root/usr/lib/x86_64-linux-gnu -maxdepth 1 -name '*.so*' -exec cp -a {} "$libraries/" \;
fi
for folder in $share; do mkdir -p "$out/share/$(dirname "$folder")" && cp -a "root/usr/share/$folder" "$out/share/$folder"; done
chmod -R u+w "$out" "$libraries"
# Links that led elsewhere in Debian's file system lead nowhere here.
find "$out" "$libraries" -xtype l -delete

if [ -z "$glibc" ]; then
  # It is glibc itself, whose libraries stay as they are. nixpkgs' loader finds its own folder, with libgcc_s in it, by
  # itself. Debian's looks into folders that NixOS does not have and into /etc/ld.so.cache: this is one that names the
  # folder.
  glibc=$out
  files=$(elf_files "$out/bin")
  mkdir -p "cache/etc" "cache$out" "$out/etc"
  cp -a "$libraries" "cache$out/"
  echo "$libraries" >cache/etc/ld.so.conf
  ldconfig -r cache -X -f /etc/ld.so.conf -C /etc/ld.so.cache 2>/dev/null
  cp cache/etc/ld.so.cache "$out/etc/"
else
  files=$(elf_files "$out" $([ "$libraries" = "$out/lib" ] || echo "$libraries"))
fi
folders=()
for package in $needs; do folders+=("$package/lib"); done
for file in $files; do relocate "$file" "$libraries" "${folders[@]}"; done

[ ! -e "$out/bin/bash" ] || ln -s bash "$out/bin/sh"
[ ! -e "$out/bin/gawk" ] || ln -s gawk "$out/bin/awk"
exit 0
