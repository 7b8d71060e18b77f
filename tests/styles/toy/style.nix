# Style toy: a wrapper around the interpreter sets TOY_LIBRARIES.
# Takes the project and a list of sonames. Returns what ../project.nix makes outputs of.
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
