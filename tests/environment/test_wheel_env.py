"""Style wheel-env: what nixpy.lock and the rendered file say where Nix itself installs the wheels."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pytest

import shop
import vendored
from nixos.realnix import RELEASES, SYSTEMS, Nix, evaluate, stand_in, warnings
from nixos.rfc166 import violations
from nixpy.files.reconcile import parts
from runner import Nixpy

INIT = ("--style", "wheel-env", "--python", "3.13")


def read_nixpy_lock(project: Path) -> dict[str, Any]:
    """The wheels of x86_64-linux in nixpy.lock, by name."""
    systems = json.loads((project / "nixpy.lock").read_text())["systems"]
    return {wheel["name"]: wheel for wheel in systems["x86_64-linux"]["wheels"]}


def test_every_wheel_is_recorded(tmp_path: Path, nixpy: Nixpy) -> None:
    """Pure Python wheels too, each with its hash; in another style they are not, and each way `check` says stale."""
    project = shop.project(tmp_path / "one", "alpha", "gamma")
    assert nixpy("init", project, *INIT).status == 0
    assert all(wheel["sha256"] for wheel in read_nixpy_lock(project).values())
    assert read_nixpy_lock(project).keys() == {"alpha", "gamma"}
    assert nixpy("check", project).status == 0
    settings = project / "pyproject.toml"
    settings.write_text(settings.read_text().replace('"wheel-env"', '"loader"\nmanager = "none"'))
    assert nixpy("check", project).status == 1
    assert nixpy("sync", project).status == 0
    assert read_nixpy_lock(project).keys() == {"alpha"}
    settings.write_text(settings.read_text().replace('"loader"', '"wheel-env"'))
    ran = nixpy("check", project)
    assert ran.status == 1
    assert "style wheel-env also installs pure Python wheels, which nixpy.lock does not list" in ran.out
    assert nixpy("sync", project).status == 0
    assert read_nixpy_lock(project).keys() == {"alpha", "gamma"}


def lock(project: Path, wheel: Path, url: str | None) -> None:
    """Write a pylock.toml with that one wheel, at an address or beside it."""
    where = f'url = "{url}"' if url else f'path = "{wheel.name}"'
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    (project / wheel.name).write_bytes(wheel.read_bytes())
    (project / "pylock.toml").write_text(f"""\
lock-version = "1.0"
created-by = "hand"
[[packages]]
name = "gamma"
version = "{wheel.name.split("-")[1]}"
wheels = [{{ name = "{wheel.name}", {where}, hashes = {{ sha256 = "{digest}" }} }}]
""")


def test_a_new_pure_wheel_is_noticed(tmp_path: Path, nixpy: Nixpy) -> None:
    """Where the style installs by nixpy.lock, another version of a pure Python wheel makes it stale."""
    stock = shop.stock(tmp_path / "stock")
    project = shop.project(tmp_path / "one", "gamma")
    for style, status in (("wheel-env", 1), ("loader", 0)):
        lock(project, stock / "gamma-1.0-py3-none-any.whl", None)
        assert nixpy("init", project, "--style", style, "--python", "3.13").status == 0
        lock(project, stock / "gamma-1.1-py3-none-any.whl", None)
        ran = nixpy("check", project)
        assert ran.status == status
        assert ("pylock.toml installs gamma 1.1, which nixpy has not analysed" in ran.out) == bool(status)


@pytest.mark.parametrize(
    ("url", "problems"),
    [
        (None, {"NIX304"}),
        ("https://elsewhere.invalid/gamma-1.0-py3-none-any.whl", {"NIX304"}),
        (f"https://index.example/packages/aa/bb/{'c' * 60}/gamma-1.0-py3-none-any.whl", set()),
    ],
)
def test_a_wheel_that_nix_does_not_find_is_reported(
    url: str | None, problems: set[str], tmp_path: Path, nixpy: Nixpy
) -> None:
    """NIX304 names a wheel whose lock has it in a file or on another index than PyPI."""
    project = shop.project(tmp_path / "one", "gamma")
    lock(project, shop.stock(tmp_path / "stock") / "gamma-1.0-py3-none-any.whl", url)
    report = nixpy("init", project, *INIT, "--offline", "--format", "json").project
    found = [problem for problem in report["problems"] if problem["code"].startswith("NIX3")]
    assert {problem["code"] for problem in found} == problems
    assert all(problem["package"] == "gamma" for problem in found)


def test_only_what_is_not_needed_may_be_missing(tmp_path: Path, nixpy: Nixpy) -> None:
    """The sonames that may lack a library are named: those of optional plugins and those ignored, each with who asks;
    what a wheel needs and nobody knows is not among them.
    """
    project = shop.project(
        tmp_path / "one", "alpha", "omega", extra='[tool.nixpy.libraries]\nignore = ["libgomp.so.1"]'
    )
    assert nixpy("init", project, *INIT).status == 0
    text = (project / "nixpy.nix").read_text()
    facts, _, _ = parts(text)
    assert re.search(r"autoPatchelfIgnoreMissingDeps = [^;]*\bmissing\b", vendored.files(text)["wheels"])
    listed = facts.partition("missing = [\n")[2].partition("];")[0].splitlines()
    assert [line.strip() for line in listed if line.strip()] == [
        '"libodbc.so.2" # alpha',
        '"libgomp.so.1" # ignored in the settings',
    ]


@pytest.mark.parametrize(
    ("table", "contained"),
    [
        ("[tool.uv]\npackage = false\n", False),
        ("[tool.poetry]\npackage-mode = false\n", False),
        ("[tool.pdm]\ndistribution = false\n", False),
        ("[tool.uv]\npackage = true\n", True),
    ],
)
def test_a_project_that_its_tool_does_not_install(tmp_path: Path, nixpy: Nixpy, table: str, contained: bool) -> None:
    """The environment has only the dependencies if a table says so, even if the project names its build system."""
    build = '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'
    project = shop.project(tmp_path / "one", "alpha", extra=build + table)
    assert nixpy("init", project, *INIT).status == 0
    assert ("    own = {" in parts((project / "nixpy.nix").read_text())[0]) == contained


@pytest.mark.usefixtures("real_nix")
@pytest.mark.parametrize("packaged", [False, True])
def test_the_project_is_there_where_it_names_its_build_system(tmp_path: Path, nixpy: Nixpy, packaged: bool) -> None:
    """As uv installs only such a project, the environment holds only such a one, with an app for each program; on every
    release it evaluates silently, and it is formatted.
    """
    more = '[build-system]\nrequires = ["hatchling"]\n' if packaged else ""
    project = shop.project(tmp_path / "one", "alpha", extra=f'[project.scripts]\nrun = "demo:main"\n{more}')
    ran = nixpy("init", project, *INIT)
    assert ran.status == 0
    text = (project / "nixpy.nix").read_text()
    assert violations(text) == []
    assert ('    own = {\n      name = "demo";' in parts(text)[0]) == packaged
    files = vendored.files(text)
    assert ("own" in files) == packaged
    assert re.search(r"\bself\.own project\b.* ps\.buildPythonPackage\b", files["styles/wheel-env"])
    pkgs = f"import {stand_in('26.05')} {{ system = {json.dumps(SYSTEMS[0])}; }}"
    apps = Nix("current").eval_json(f"builtins.attrNames (import {project / 'nixpy.nix'} {{ pkgs = {pkgs}; }}).apps")
    assert apps == (["default", "run"] if packaged else [])
    for release in RELEASES:
        assert [line for said in evaluate(project, release).values() for line in warnings(said)] == []


@pytest.mark.usefixtures("real_nix")
def test_the_address_follows_from_the_name(tmp_path: Path, nixpy: Nixpy) -> None:
    """What Nix fetches has the very name of the wheel, tags and all, and its hash; no address is written down."""
    project = shop.project(tmp_path / "one", "alpha", "gamma")
    assert nixpy("init", project, *INIT).status == 0
    assert "://" not in (project / "nixpy.nix").read_text() + (project / "nixpy.lock").read_text()
    pkgs = f"import {stand_in('26.05')} {{ system = {json.dumps(SYSTEMS[0])}; }}"
    python = f"(import {project / 'nixpy.nix'} {{ pkgs = {pkgs}; }}).python"
    sources = Nix("current").eval_json(
        f"map (p: {{ inherit (p.src) name outputHash; }}) (builtins.filter (p: p ? src) {python}.paths)"
    )
    assert len(sources) == 2
    wheels = read_nixpy_lock(project).values()
    assert {(source["name"], source["outputHash"]) for source in sources} == {
        (wheel["filename"], wheel["sha256"]) for wheel in wheels
    }
