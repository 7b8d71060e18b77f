# Keeps a .venv whose interpreter is a copy at the shell's Python, as a copy does not follow it by itself.
# Takes the name of the interpreter's file. Returns shell text, in which $python is the shell's Python.
_: executable: ''
  # A copied interpreter does not follow today's by itself.
  for copy in .venv/bin/{python,python3,${executable}}; do
    if [ ! -L "$copy" ] && ! cmp -s "$python" "$copy"; then
      cp --remove-destination "$python" "$copy"
      sed -i "s|^home = .*|home = $(dirname "$python")|" .venv/pyvenv.cfg
    fi
  done
''
