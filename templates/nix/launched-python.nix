# The interpreter started through its loader, which gets the search path as an option: nothing enters the environment.
# Takes the project. Returns what own-python.nix returns. `$0` is kept, as Python finds its virtual environment by it.
self: project:
self.joined-python project [ ] ''
  install -m 755 ${
    self.pkgs.writeShellScript "python" ''
      exec ${project.loader} \
        --argv0 "$0" \
        --library-path "${project.searchPath}''${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}" \
        ${project.interpreter.interpreter} "$@"
    ''
  } $out/bin/${project.interpreter.executable}
''
