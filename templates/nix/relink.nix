# Updates a .venv that was created with an earlier build of the interpreter.
# Takes the project and its Python. Returns shell text that points the links and pyvenv.cfg of .venv to this Python.
self: project: python:
let
  inherit (project) venv;
  other = self.lib.optionalString (project.manager == null);
in
''
  # Let a .venv that was created with an earlier build of this interpreter use the current one.
  # The tool that created .venv decides which of the links leaves it.
  for link in ${venv}/bin/python*; do
    case "$(readlink "$link")" in
      ${python}/bin/*) ;;
      /nix/store/*)
        if [ -d ${venv}/lib/${project.interpreter.libPrefix} ]; then
          ln -sfn ${python}/bin/${project.interpreter.executable} "$link"
          sed -i "s|^home = .*|home = ${python}/bin|" ${venv}/pyvenv.cfg
        ${other "else\n        echo \"nixpy: ${venv} was created with another Python; remove it and create it again\" >&2\n      "}fi
        ;;
    esac
  done
  unset link
''
