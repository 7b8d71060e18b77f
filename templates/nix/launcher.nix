# Starts the interpreter through its loader, which gets the search path as an option: nothing enters the environment.
# Takes the project. Returns a derivation, the script. `$0` is kept, as Python finds its virtual environment by it.
self: project:
let
  inherit (self.host project) loader searchPath;
in
self.pkgs.writeShellScript "python" ''
  exec ${loader} \
    --argv0 "$0" \
    --library-path "${searchPath}''${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}" \
    ${project.interpreter.interpreter} "$@"
''
