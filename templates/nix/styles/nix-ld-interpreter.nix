# Style nix-ld-interpreter: a copy of the interpreter that the kernel starts through nix-ld, one from the store.
# nix-ld adds the libraries to the search path of this process alone. The name is kept (argv[0]), as Python finds its
# virtual environment by it.
# Takes the project, and no facts of its own. Returns outputs for project.nix.
self: project:
{ }:
let
  inherit (self) pkgs;
  inherit (project) interpreter;
in
self.joined-python project [ pkgs.patchelf ] ''
  mkdir $out/libexec
  cp ${interpreter.interpreter} $out/libexec/${interpreter.executable}
  chmod +w $out/libexec/${interpreter.executable}
  patchelf --set-interpreter ${pkgs.nix-ld}/libexec/nix-ld $out/libexec/${interpreter.executable}
  makeBinaryWrapper $out/libexec/${interpreter.executable} $out/bin/${interpreter.executable} \
    --inherit-argv0 \
    --set NIX_LD ${project.loader} \
    --set NIX_LD_LIBRARY_PATH ${project.searchPath}
''
