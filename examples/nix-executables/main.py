"""Writes a module with a table that numpy computes, and has ruff format and check it."""

import subprocess

import numpy as np

POINTS = 9


def source() -> str:
    """Return the module, as a program writes it."""
    values = ",".join(f"{value:.3f}" for value in np.hanning(POINTS))
    return f"'''A window for spectra, written by main.py.'''\nHANN=[{values}]\ndef window( at ):\n  return HANN[at]\n"


def ruff(*arguments: str, code: str) -> str:
    """Return what ruff, the first of PATH, makes of code."""
    command = ["ruff", *arguments, "--isolated", "--no-cache", "-"]
    return subprocess.run(command, input=code, stdout=subprocess.PIPE, text=True, check=True).stdout


if __name__ == "__main__":
    formatted = ruff("format", code=source())
    print(formatted, end="")
    print("#", ruff("check", "--select=F,E", code=formatted).strip())
