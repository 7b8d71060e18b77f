# Keeps a .venv that was made for an earlier state of the interpreter.
# Takes the project and its Python. Returns shell text that points the links and pyvenv.cfg of .venv to this Python.
self: project: python:
let
  other = self.lib.optionalString (project.manager == null);
in
''
  # A .venv made for an earlier state of this interpreter goes on with today's.
  # Which of the links leaves .venv depends on what made it.
  for link in .venv/bin/python*; do
    case "$(readlink "$link")" in
      ${python}/bin/*) ;;
      /nix/store/*)
        if [ -d .venv/lib/${project.interpreter.libPrefix} ]; then
          ln -sfn ${python}/bin/${project.interpreter.executable} "$link"
          sed -i "s|^home = .*|home = ${python}/bin|" .venv/pyvenv.cfg
        ${other "else\n        echo \"nixpy: .venv is of another Python; remove it and make it anew\" >&2\n      "}fi
        ;;
    esac
  done
  unset link
''
