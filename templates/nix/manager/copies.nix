# Updates the interpreter in a .venv that was created with `--copies`, when the Python of the shell changes.
# Takes the name of the interpreter's file. Returns shell text, in which $python is the shell's Python.
_: executable: ''
  # Replace a copy of an earlier interpreter.
  for copy in .venv/bin/{python,python3,${executable}}; do
    if [ ! -L "$copy" ] && ! cmp -s "$python" "$copy"; then
      cp --remove-destination "$python" "$copy"
      sed -i "s|^home = .*|home = $(dirname "$python")|" .venv/pyvenv.cfg
    fi
  done
''
