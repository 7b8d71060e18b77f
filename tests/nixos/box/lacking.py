"""Managers that the stand-in nixpkgs lacks, as stubs of ours: each takes the documented commands, and what it fills is
a virtual environment, by pip from the wheelhouse. Their channels and PyPI cannot be reached in the box.
"""

from __future__ import annotations

import re
from pathlib import Path

from nixos.box.store import packages

# `micromamba shell hook` prints a function that activates in this shell; all else is done by the program. What is under
# `pip:` in environment.yml, and the lines of a file of specifications, are installed.
_CONDA = r"""#!/usr/bin/env bash
set -eu
last=
echo "$*" >> $HOME/calls
prefix= file=
for word; do
  case $last in --prefix) prefix=$word ;; --file) file=$word ;; esac
  last=$word
done
if [ ! -d "$prefix" ]; then
  PYTHON -m venv "$prefix"
fi
mkdir -p "$prefix/conda-meta"
case $file in
  *.yml) names=$(sed -n 's/^      - "\(.*\)"$/\1/p' "$file") ;;
  *) names=$(cat "$file" 2> /dev/null || true) ;;
esac
[ -z "$names" ] || "$prefix/bin/pip" install -q --no-compile $names
"""
_FUNCTION = """
    NAME() {
      if [ "$1" = activate ]; then PATH=$2/bin:$PATH; else $HOME/stub-NAME "$@"; fi
    }
"""
# `poetry install` installs what poetry.lock names.
_POETRY = """
  [ "$1" = install ] && .venv/bin/python -m pip install -q $(sed -n 's/^name = "\\(.*\\)"$/\\1/p' poetry.lock)
"""


def bring_conda(name: str, home: Path, flake: Path) -> None:
    """Put the stub of conda or micromamba into a home, and where nixpkgs' program is asked for, into the flake."""
    stub = home / f"stub-{name}"
    stub.write_text(_CONDA.replace("PYTHON", f"{packages()['python']}/bin/python3"))
    stub.chmod(0o755)
    function = _FUNCTION.replace("NAME", name)
    if name == "conda":
        (home / ".conda/etc/profile.d").mkdir(parents=True, exist_ok=True)
        (home / ".conda/etc/profile.d/conda.sh").write_text(function)
    else:
        _extend(flake, name, f"cat <<'END'\n{function}\nEND\n")


def bring_poetry(flake: Path) -> None:
    """Put the stub of Poetry into a flake."""
    _extend(flake, "poetry", _POETRY)


def _extend(flake: Path, name: str, script: str) -> None:
    """Give the flake's nixpkgs a program by that name."""
    file = flake / "flake.nix"
    program = f"previous.writeShellScriptBin \"{name}\" ''\n{script.replace('$', chr(39) * 2 + '$')}''"
    extend = f"extend (_: previous: {{ {name} = {program}; }})"
    plain = re.compile(r"= (.+[.]legacyPackages[.][$][{]system[}]);")
    assert plain.search(file.read_text())
    file.write_text(plain.sub(lambda match: f"= ({match[1]}.{extend});", file.read_text()))
