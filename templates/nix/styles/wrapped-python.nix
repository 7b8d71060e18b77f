# Style wrapped-python: a wrapper around the interpreter sets LD_LIBRARY_PATH, which child processes inherit.
# The wrapper keeps argv[0], since Python finds its virtual environment by this name.
# Takes the project, and no facts of its own. Returns outputs for project.nix.
self: project:
{ }:
self.joined-python project [ ] ''
  makeBinaryWrapper ${project.interpreter.interpreter} $out/bin/${project.interpreter.executable} \
    --inherit-argv0 \
    --prefix LD_LIBRARY_PATH : ${project.searchPath}
''
