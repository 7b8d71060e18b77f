"""Facts of a machine on which all is well; tests change one of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from nixpy.doctor.examine import judge
from nixpy.doctor.facts import (
    DRIVER,
    Facts,
    Host,
    MissingLibrary,
    ObservedProject,
    OnPath,
    Program,
    StartedPython,
    Supplier,
    Venv,
)
from nixpy.doctor.machine_diagnostic import MachineDiagnostic

ROOT = Path("/home/user/demo")
LOADER = Path("/lib64/ld-linux-x86-64.so.2")
BARE = Path("/nix/store/00000000000000000000000000000000-python3-3.13.5/bin/python3.13")
SHELL = Path("/nix/store/11111111111111111111111111111111-python3-3.13.5/bin/python3.13")
OTHER = Path("/nix/store/22222222222222222222222222222222-python3-3.13.5-env/bin/python3.13")
STORE_LOADER = Path("/nix/store/33333333333333333333333333333333-glibc/lib/ld-linux-x86-64.so.2")

DRIVERS = {"libcuda.so.1": DRIVER, "libGL.so.1": DRIVER}
HOST = Host(system="x86_64-linux", nixos=True, loader=LOADER, at_loader="nix-ld", driver=True, drivers=DRIVERS)
LAUNCHER = Program(
    path=SHELL.with_name("python"),
    links=(SHELL.with_name("python"), SHELL),
    exists=True,
    wraps=BARE,
    ours=True,
)
VENV = Venv(
    folder=ROOT / ".venv",
    python=Program(
        path=ROOT / ".venv/bin/python", links=(ROOT / ".venv/bin/python", SHELL), exists=True, wraps=BARE, ours=True
    ),
    leaves=ROOT / ".venv/bin/python",
    home=str(SHELL.parent),
    versions=("3.13",),
    packages=frozenset({"numpy"}),
)
PROJECT = ObservedProject(
    root=ROOT,
    source="uv.lock",
    style="loader",
    uses_nixpy=True,
    enter="nix develop",
    fills=True,
    install="uv sync",
    locked=frozenset({"numpy"}),
    packages=frozenset({"numpy"}),
)
STARTED = StartedPython(
    version="3.13.5",
    base_prefix=SHELL.parents[1],
    loader=STORE_LOADER,
    loaded=frozenset(),
    search=(),
    cached=frozenset(),
)
WELL = Facts(
    environ={"IN_NIX_SHELL": "impure"},
    folder=ROOT,
    venv_folder=ROOT / ".venv",
    host=HOST,
    pythons=(OnPath(program=LAUNCHER),),
    uv=True,
    uv_settings={"python-downloads": "never"},
    venv=VENV,
    started=STARTED,
    project=PROJECT,
)

STDCXX = MissingLibrary(soname="libstdc++.so.6", wheel="numpy", files=("numpy/a.so",), optional=False)
SUPPLIERS = {
    "libstdc++.so.6": Supplier(provider="nixpkgs", expression="pkgs.stdenv.cc.cc.lib"),
    "libcuda.so.1": Supplier(provider="host-driver", expression=None),
    "libtorch.so": Supplier(provider="sibling-wheel", expression=None),
    "libfoo.so.1": Supplier(provider="none", expression=None),
}


def diagnostics(**changes: Any) -> tuple[MachineDiagnostic, ...]:
    """What is found where these facts are others; every check is made."""
    report = judge(replace(WELL, **changes))
    assert report.skipped == ()
    return report.diagnostics


def codes(**changes: Any) -> list[str]:
    """The codes of it."""
    return [diagnostic.code for diagnostic in diagnostics(**changes)]


def only(**changes: Any) -> MachineDiagnostic:
    """The one finding."""
    (found,) = diagnostics(**changes)
    return found


def program(path: str | Path, *more: str | Path, **changes: Any) -> Program:
    """A Python at a path, with what its links lead to."""
    links = tuple(map(Path, (path, *more)))
    return Program(path=links[0], links=links, exists=changes.pop("exists", True), **changes)


def venv(python: Program, **changes: Any) -> Venv:
    """A virtual environment on this Python."""
    return replace(VENV, python=python, **changes)
