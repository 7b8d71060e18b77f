# Feature cuda: the host's driver, for what triton and torch.compile build at run time.
# Takes nothing. Returns { hook }, shell text.
_: {
  hook = ''
    # triton, and torch.compile with it, ask ldconfig for the driver, which NixOS does not have.
    export TRITON_LIBCUDA_PATH=/run/opengl-driver/lib
    # What they compile at run time needs compilers by name.
    export CC=''${CC:-cc} CXX=''${CXX:-c++}
  '';
}
