# Updates the interpreter in a .venv that was created with `--copies`, when the Python of the shell changes.
# Takes the path of .venv, and the name of the interpreter's file. Returns shell text; in it, $python is the Python of the
# shell.
_: venv: executable: ''
  # Replace a copy of an earlier interpreter.
  for copy in ${venv}/bin/{python,python3,${executable}}; do
    if [ ! -L "$copy" ] && ! cmp -s "$python" "$copy"; then
      cp --remove-destination "$python" "$copy"
      sed -i "s|^home = .*|home = $(dirname "$python")|" ${venv}/pyvenv.cfg
    fi
  done
''
