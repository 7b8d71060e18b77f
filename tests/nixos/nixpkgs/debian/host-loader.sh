# Compiles host-loader.c without a C library: the kernel starts it in the place of a loader, where there is none.
export PATH=/usr/bin:/bin
mkdir -p "$out/libexec"
gcc -Wall -Wextra -O1 -ffreestanding -nostdlib -static-pie -fPIE -fno-stack-protector -D"$define" \
  -o "$out/libexec/${name%-*}" "$source"
exit 0
