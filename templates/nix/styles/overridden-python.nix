# Style overridden-python: the build of the interpreter replaces it by a script that sets LD_LIBRARY_PATH.
# The script keeps `$0`, since Python finds its virtual environment by this name. With `self`, packages and environments
# use this interpreter, too. No binary cache has it: Nix compiles CPython and each package of `python.pkgs`.
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
  # Poetry with this interpreter, which it uses for new environments.
  packages.poetry = pkgs.poetry.override { python3 = python; };
}
