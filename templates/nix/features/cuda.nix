# Feature cuda: the host's driver and a compiler, for code that triton and torch.compile build at run time.
# Takes nothing. Returns { hook }, shell text.
_: {
  hook = ''
    # triton, which torch.compile uses, would search the driver with ldconfig, which NixOS does not have.
    export TRITON_LIBCUDA_PATH=/run/opengl-driver/lib
    # They compile at run time, with the compilers that these variables name.
    export CC=''${CC:-cc} CXX=''${CXX:-c++}
  '';
}
