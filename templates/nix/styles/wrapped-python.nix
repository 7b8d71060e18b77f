# Style wrapped-python: a wrapper around the interpreter sets LD_LIBRARY_PATH, which child processes inherit.
# The name is kept (argv[0]), as Python finds its virtual environment by it.
# Takes the project, and no facts of its own. Returns what ../project.nix makes outputs of.
self: project:
{ }:
let
  inherit (project) interpreter;
  python = self.joined-python project [ ] ''
    makeBinaryWrapper ${interpreter.interpreter} $out/bin/${interpreter.executable} \
      --inherit-argv0 \
      --prefix LD_LIBRARY_PATH : ${(self.host project).searchPath}
  '';
in
{
  inherit python;
  shell.relink = self.relink project python;
}
// self.modules project python
