# Style overridden-python: the interpreter is built with a script in its place that sets LD_LIBRARY_PATH.
# `$0` is kept, as Python finds its virtual environment by it; `self` makes packages and environments stand on it too.
# Nothing of this is in a binary cache: CPython is compiled, and so is each package of `python.pkgs`.
# Takes the project, and no facts of its own. Returns outputs for project.nix.
self: project:
{ }:
let
  inherit (self) pkgs;
  inherit (project) interpreter;
  python =
    if self.isLinux then
      (interpreter.override { self = python; }).overrideAttrs (previous: {
        postInstall = (previous.postInstall or "") + ''

          mkdir -p $out/libexec
          mv $out/bin/${interpreter.executable} $out/libexec/
          {
            echo '#!${pkgs.runtimeShell}'
            echo 'export LD_LIBRARY_PATH="${project.searchPath}''${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"'
            echo "exec -a \"\$0\" $out/libexec/${interpreter.executable} \"\$@\""
          } > $out/bin/${interpreter.executable}
          chmod +x $out/bin/${interpreter.executable}
        '';
      })
    else
      interpreter;
in
self.own-python project python
// {
  # Poetry that runs on it, and so makes environments of it.
  packages.poetry = pkgs.poetry.override { python3 = python; };
}
