# Style loader: the loader of the interpreter's own glibc gets the search path, so child processes inherit nothing.
# Takes the project, and no facts of its own. Returns what ../project.nix makes outputs of.
self: project:
{ }:
let
  python = self.joined-python project [ ] ''
    install -m 755 ${self.launcher project} $out/bin/${project.interpreter.executable}
  '';
in
{
  inherit python;
  shell.relink = self.relink project python;
}
// self.modules project python
