# Style loader: the loader of the interpreter's own glibc gets the search path as an option. On Linux, child processes
# therefore inherit no variable. `--library-path` replaces LD_LIBRARY_PATH, so the launcher adds the user's own value at
# the end. `--argv0` keeps `$0`, since Python finds its virtual environment by this name.
# Takes the project, and no facts of its own. Returns outputs for project.nix.
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
