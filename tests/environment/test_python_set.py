"""What style with-packages takes from where, as far as it can be told without Nix."""

from __future__ import annotations

from packaging.utils import canonicalize_name

from nixpy.analysis.nixpylock import NixpyLock, Wheel
from nixpy.environment.python_set import python_set
from nixpy.needs.model import Needs

TORCH = {"torch": ["nvidia-cu", "numpy"], "nvidia-cu": ["nvidia-base"], "nvidia-base": [], "numpy": []}


def nixpy_lock(requires: dict[str, list[str]]) -> NixpyLock:
    """A lock with a wheel of each package."""
    wheels = tuple(
        Wheel(
            system="x86_64-linux",
            name=canonicalize_name(name),
            version="1",
            filename=f"{name}-1-py3-none-any.whl",
            sha256=None,
            needs=Needs(known="tag"),
            requires=tuple(map(canonicalize_name, others)),
        )
        for name, others in requires.items()
    )
    systems = ("x86_64-linux",)
    return NixpyLock(
        python="3.13", release="", inputs="", systems=systems, wheels=wheels, unavailable=(), complete=True
    )


def names(requires: dict[str, list[str]], *, implied: bool) -> tuple[list[str], list[str]]:
    """The packages of nixpkgs or wheels that are asked for where the project asks for all of a lock, and the others."""
    direct = [canonicalize_name(name) for name in requires]
    found = python_set(nixpy_lock(requires), direct, "nixpkgs", direct if implied else ())
    return [item.name for item in found.direct], [item.name for item in found.others]


def test_a_lock_alone_asks_for_no_wheels_of_wheels() -> None:
    """Where only the lock names them, wheels of CUDA are left to the one of torch, which nixpkgs has; numpy stays."""
    assert names(TORCH, implied=True) == (["numpy", "torch"], [])


def test_what_the_project_names_is_asked_for() -> None:
    """Where the project itself names them, they are there."""
    assert names(TORCH, implied=False) == (["numpy", "nvidia-base", "nvidia-cu", "torch"], [])


def test_a_circle_stays() -> None:
    """Wheels that ask for each other are there all the same, by one of them."""
    circle = {"house-a": ["house-b"], "house-b": ["house-a"], "house-c": ["house-c"]}
    assert names(circle, implied=True) == (["house-a", "house-c"], ["house-b"])
