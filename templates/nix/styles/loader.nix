# Style loader: the loader of the interpreter's own glibc gets the search path, so child processes inherit nothing.
# Takes the project. Returns outputs for project.nix. `$0` is kept, as Python finds its virtual environment by it.
self: project:
{ }:
let
  launcher = self.pkgs.writeShellScript "python" ''
    exec ${project.loader} \
      --argv0 "$0" \
      --library-path "${project.searchPath}''${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}" \
      ${project.interpreter.interpreter} "$@"
  '';
in
self.joined-python project [ ] ''
  install -m 755 ${launcher} $out/bin/${project.interpreter.executable}
''
