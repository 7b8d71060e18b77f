# Style nix-ld-interpreter: a copy of the interpreter that starts through nix-ld from the Nix store. nix-ld adds the
# libraries to the search path of this process only. The wrapper keeps argv[0], since Python finds its virtual
# environment by this name.
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
