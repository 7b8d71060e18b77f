# gcc and binutils of the building machine, in the store, with glibc's headers: they compile where there is no /usr. The
# programs before them do what nixpkgs' wrappers do (pkgs/build-support/cc-wrapper and bintools-wrapper): inputs'
# headers and libraries are found, and the folder of each library of the store that is linked to is in the run path.
set -o pipefail
export PATH=/usr/bin:/bin:/usr/sbin:/sbin
source "$relocate"

install_dir=$(dirname "$(gcc -print-libgcc-file-name)")
mkdir -p "$out/bin" "$out/libexec" "$out/host" "$out/crt" "$out/include" "$out/nix-support"

# What the programs themselves are linked to; glibc is that of the store.
tools=("$(realpath "$(command -v gcc)")" "$(gcc -print-prog-name=cc1)" "$(gcc -print-prog-name=collect2)")
for name in as ld; do tools+=("$(realpath "$(command -v "$name")")"); done
cp "${tools[0]}" "$out/libexec/gcc"
cp "${tools[1]}" "${tools[2]}" "$out/libexec/"
cp "${tools[3]}" "$out/libexec/as"
cp "${tools[4]}" "$out/libexec/ld"
cp "$install_dir/liblto_plugin.so" "$out/libexec/"
ldd "${tools[@]}" | awk '$2 == "=>" { print $3 }' | sort -u | while read -r library; do
  [ -e "$glibc/lib/$(basename "$library")" ] || cp -L "$library" "$out/host/"
done
chmod -R u+w "$out"
for file in $(elf_files "$out/libexec" "$out/host"); do relocate "$file" "$out/host"; done

# What is linked into every program and library.
cp "$install_dir"/crt*.o "$install_dir"/libgcc*.a "$install_dir/libgcc_s.so" "$out/crt/"
libc=$(dirname "$(gcc -print-file-name=crti.o)")
cp "$libc"/*crt[1in].o "$libc"/lib{c_nonshared,pthread,dl}.a "$out/crt/"
echo "GROUP ( $glibc/lib/libc.so.6 $out/crt/libc_nonshared.a AS_NEEDED ( $glibc/lib/ld-linux-x86-64.so.2 ) )" >"$out/crt/libc.so"
ln -s "$glibc/lib/libm.so.6" "$out/crt/libm.so"

cp -r "$install_dir/include" "$out/include/gcc"
for package in libc6-dev linux-libc-dev; do
  dpkg -L "$package" | { grep '^/usr/include/' || true; } | while read -r file; do
    if [ -f "$file" ]; then install -Dm644 "$file" "$out/include/libc/${file#/usr/include/}"; fi
  done
done

cat >"$out/bin/gcc" <<END
#!$bash/bin/bash
links=1 folders=() names=() more=(\${NIX_CFLAGS_COMPILE-})
for word; do case \$word in -c | -S | -E | -M | -MM) links= ;; esac done
if [ -n "\$links" ]; then
  for word in "\$@" \${NIX_LDFLAGS-}; do
    case \$word in
      -L*) folders+=("\${word#-L}") ;;
      -l*) names+=("\${word#-l}") ;;
    esac
  done
  for name in "\${names[@]}"; do
    for folder in "\${folders[@]}"; do
      [ -e "\$folder/lib\$name.so" ] || continue
      case \$folder in
        /nix/store/*) more+=("-Wl,-rpath,\$(dirname "\$(readlink -f "\$folder/lib\$name.so")")") ;;
      esac
      break
    done
  done
  more+=(\${NIX_LDFLAGS-} -Wl,-dynamic-linker,$glibc/lib/ld-linux-x86-64.so.2)
fi
exec $out/libexec/gcc -B$out/libexec -B$out/crt -L$out/crt -L$glibc/lib -nostdinc "\$@" "\${more[@]}" \\
  -isystem $out/include/gcc -isystem $out/include/libc -isystem $out/include/libc/x86_64-linux-gnu
END
chmod +x "$out/bin/gcc"
ln -s gcc "$out/bin/cc"

cat >"$out/nix-support/setup-hook" <<'END'
addCompilerFlags() {
  [ ! -d "$1/include" ] || NIX_CFLAGS_COMPILE="${NIX_CFLAGS_COMPILE-} -isystem $1/include"
  [ ! -d "$1/lib" ] || NIX_LDFLAGS="${NIX_LDFLAGS-} -L$1/lib"
}
addEnvHooks "$hostOffset" addCompilerFlags
export NIX_CFLAGS_COMPILE NIX_LDFLAGS CC=gcc
END

echo 'int main(void) { return 0; }' >test.c
"$out/bin/gcc" test.c -o test
./test
exit 0
