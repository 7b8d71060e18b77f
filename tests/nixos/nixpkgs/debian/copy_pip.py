"""What ensurepip does in the stand-in: it copies what CPython's own code made when the interpreter was built.

That code starts pip from a zip file, which Python compiles, lets pip unpack itself and compile that: three seconds of
work for each virtual environment.
"""

from __future__ import annotations

import shutil
import sys
import sysconfig
from pathlib import Path


def copy_pip(*_: object) -> None:
    """Put pip and its scripts into the environment of this Python; stands in the place of ensurepip's `_run_pip`."""
    shutil.unpack_archive(Path(__file__).with_name("site-packages.zip"), sysconfig.get_path("purelib"))
    for script in Path(__file__).with_name("scripts").iterdir():
        program = Path(sysconfig.get_path("scripts"), script.name)
        program.write_text(f"#!{sys.executable}\n{script.read_text()}")
        program.chmod(0o755)
