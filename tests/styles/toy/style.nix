# Style toy: a wrapper around the interpreter sets TOY_LIBRARIES.
# Takes the project and a list of sonames. Returns outputs for project.nix.
self: project:
{
  openedSonames ? [ ],
}:
self.joined-python project [ ] ''
  makeBinaryWrapper ${project.interpreter.interpreter} $out/bin/${project.interpreter.executable} \
    --inherit-argv0 \
    --set TOY_LIBRARIES ${project.libraries}/lib \
    --set TOY_OPENED "${toString openedSonames}"
''
