"""Writes a module with a table that numpy computes, and formats and checks it with ruff."""

import subprocess

import numpy as np

POINTS = 9


def source() -> str:
    """Return the text of the module, not formatted."""
    values = ",".join(f"{value:.3f}" for value in np.hanning(POINTS))
    return f"'''A window for spectra, written by main.py.'''\nHANN=[{values}]\ndef window( at ):\n  return HANN[at]\n"


def ruff(*arguments: str, code: str) -> str:
    """Return the output of ruff, the first on PATH, for some code."""
    command = ["ruff", *arguments, "--isolated", "--no-cache", "-"]
    return subprocess.run(command, input=code, stdout=subprocess.PIPE, text=True, check=True).stdout


if __name__ == "__main__":
    formatted = ruff("format", code=source())
    print(formatted, end="")
    print("#", ruff("check", "--select=F,E", code=formatted).strip())
