"""Style with-packages: what is nixpkgs' and what is of locked wheels, as it is recorded, rendered and evaluated."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import shop
import vendored
from builderlocks import lock
from nixos.realnix import HERE, SYSTEMS, Nix, stand_in
from nixpy.analysis import nixpylock
from nixpy.files.reconcile import parts
from nixpy.styles.styles import find
from runner import Nixpy
from smallindex import SmallIndex, build_sdist, build_wheel

INIT = ("--style", "with-packages", "--python", "3.13")
LOCKED = '[tool.nixpy]\nversions = "locked"\n'


@pytest.fixture(autouse=True)
def house(tmp_path: Path, nixpy: Nixpy, monkeypatch: pytest.MonkeyPatch) -> Iterator[SmallIndex]:
    """An index where `house` asks for toolz and for `house-two`, which asks for `house` again and for PyYAML."""
    stock = tmp_path / "stock"
    build_wheel(stock, "house", "1.0", requires=["toolz>=1", "house-two"])
    build_wheel(stock, "house-two", "1.0", requires=["house", "PyYAML", "psycopg2-binary"])
    for name, version in (("toolz", "9.0"), ("pyyaml", "9.0"), ("psycopg2-binary", "9.0"), ("numpy", "9.0")):
        build_wheel(stock, name, version)
    build_wheel(stock, "plug", "1.0", requires=["numpy ; extra == 'fast'"], extras=["fast"])
    # What nixpkgs has, with an extra that asks for what it lacks and, by another package's, for what it has elsewhere.
    build_wheel(stock, "flask", "9.0", requires=["house-extra ; extra == 'x'", "rich[y] ; extra == 'x'"], extras=["x"])
    build_wheel(stock, "rich", "9.0", requires=["psycopg2-binary ; extra == 'y'"], extras=["y"])
    build_wheel(stock, "house-extra", "1.0")
    build_wheel(stock, "house-user", "1.0", requires=["flask[x]"])
    build_sdist(stock, "house-source", "1.0")
    build_sdist(stock, "scipy", "1.0")
    with SmallIndex(stock) as index:
        monkeypatch.setenv("UV_DEFAULT_INDEX", index.url)
        monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
        yield index


def wheels(project: Path) -> dict[str, Any]:
    """The wheels of x86_64-linux in nixpy.lock, by name."""
    systems = json.loads((project / "nixpy.lock").read_text())["systems"]
    return {wheel["name"]: wheel for wheel in systems[SYSTEMS[0]]["wheels"]}


def definitions(project: Path) -> list[str]:
    """The lines of nixpy.nix that say by which name nixpkgs has a package, and whose version is taken.

    What comes of them, `installed` shows.
    """
    facts, _, _ = parts((project / "nixpy.nix").read_text())
    sets = re.findall(r"^    (?:packages|others) = \{\n(.*?)^    \};$", facts, re.MULTILINE | re.DOTALL)
    versions = re.findall(r"^    versions = .*;$", facts, re.MULTILINE)
    return [line.strip() for line in ["".join(sets), *versions] for line in line.splitlines()]


def installed(project: Path, **changed: str) -> tuple[set[str], set[str]]:
    """The names of what the environment has of wheels and of nixpkgs, where rows of its table are changed: `throws` is
    a package that it let go of.
    """
    rows = (HERE / "python-attributes.csv").read_text().splitlines()
    for at, row in enumerate(rows):
        name = row.partition(",")[0]
        if name in changed:
            rows[at] = ",".join([name, *[changed[name]] * row.count(",")])
    table = project.parent / "table.csv"
    table.write_text("\n".join(rows) + "\n")
    pkgs = f'import {stand_in("26.05", python_attributes=table)} {{ system = "{SYSTEMS[0]}"; }}'
    found = Nix("current").eval_json(f"""
        let
          paths = (import {project / "nixpy.nix"} {{ pkgs = {pkgs}; }}).python.paths;
          names = builtins.map (path: path.pname or path.name);
        in
        {{
          wheels = names (builtins.filter (path: path ? lockedWheel) paths);
          others = names (builtins.filter (path: !(path ? lockedWheel)) paths);
        }}""")
    assert len(found["wheels"]) == len(set(found["wheels"]))
    return set(found["wheels"]), set(found["others"]) - {"python3", "bin"}


def test_what_each_wheel_requires_is_recorded(tmp_path: Path, nixpy: Nixpy) -> None:
    """As far as the lock installs it."""
    project = shop.project(tmp_path / "one", "house")
    assert nixpy("init", project, *INIT).status == 0
    found = wheels(project)
    assert found["house"]["requires"] == ["house-two", "toolz"]
    assert found["house-two"]["requires"] == ["house", "psycopg2-binary", "pyyaml"]
    assert found["toolz"]["requires"] == []
    assert nixpy("check", project).status == 0


def test_it_is_found_out_again_where_more_is_locked(tmp_path: Path, nixpy: Nixpy) -> None:
    """An extra that is asked for later makes what it brings a requirement of a wheel that was recorded before."""
    project = shop.project(tmp_path / "one", "plug")
    assert nixpy("init", project, *INIT).status == 0
    assert wheels(project)["plug"]["requires"] == []
    settings = project / "pyproject.toml"
    settings.write_text(settings.read_text().replace('"plug"', '"plug[fast]"'))
    assert nixpy("sync", project).status == 0
    assert wheels(project)["plug"]["requires"] == ["numpy"]


def test_an_extra_that_nobody_asks_for(tmp_path: Path, nixpy: Nixpy) -> None:
    """What it asks for is no requirement of the wheel, though it is locked for others; once the extra is asked for it
    is one, though nothing else is locked then, and no longer when it is not.
    """
    project = shop.project(tmp_path / "one", "plug", "numpy")
    settings = project / "pyproject.toml"
    assert nixpy("init", project, *INIT).status == 0
    plain = settings.read_text()
    assert wheels(project)["plug"]["requires"] == []
    for text, found in ((plain.replace('"plug"', '"plug[fast]"'), ["numpy"]), (plain, [])):
        settings.write_text(text)
        assert nixpy("sync", project).status == 0
        assert wheels(project)["plug"]["requires"] == found
        assert nixpy("check", project).status == 0


@pytest.mark.parametrize("locked", [True, False])
def test_a_record_that_does_not_tell_what_wheels_require(
    locked: bool, tmp_path: Path, nixpy: Nixpy, house: SmallIndex
) -> None:
    """Check finds it stale and says why, as sync changes it: both ask the same of it."""
    project = shop.project(tmp_path / "one", "house")
    if locked:
        lock(project, find("uv2nix"), house)
    assert nixpy("init", project, *INIT).status == 0
    path = project / "nixpy.lock"
    whole = path.read_text()
    nixpy_lock = nixpylock.loads(whole, path)
    path.write_text(
        nixpylock.dumps(replace(nixpy_lock, wheels=tuple(replace(one, requires=None) for one in nixpy_lock.wheels)))
    )
    assert '"requires"' not in path.read_text()
    ran = nixpy("check", project)
    assert ran.status == 1
    assert "does not state what each wheel requires" in ran.out
    assert nixpy("sync", project).status == 0
    assert path.read_text() == whole
    assert nixpy("check", project).status == 0


@pytest.mark.usefixtures("real_nix")
def test_nixpkgs_comes_first(tmp_path: Path, nixpy: Nixpy) -> None:
    """What nixpkgs has is its own, what it lacks is of a wheel, and so is what that asks for; nothing is reported."""
    project = shop.project(tmp_path / "one", "house", "numpy")
    made = nixpy("init", project, *INIT, "--format", "json").project
    assert [problem for problem in made["problems"] if problem["code"].startswith("NIX3")] == []
    assert definitions(project) == [
        'house = "house";',
        'numpy = "numpy";',
        'house-two = "house-two";',
        'psycopg2-binary = "psycopg2";',
        'pyyaml = "pyyaml";',
        'toolz = "toolz";',
    ]
    assert installed(project) == ({"house", "house-two"}, {"numpy", "psycopg2", "pyyaml", "toolz"})


@pytest.mark.usefixtures("real_nix")
def test_extras_of_what_nixpkgs_has(tmp_path: Path, nixpy: Nixpy) -> None:
    """What they ask for is there, of wheels and of nixpkgs, by extras of extras and where a wheel asks with them;
    nothing of it where nobody does.
    """
    for number, asked in enumerate(("flask[x]", "house-user")):
        project = shop.project(tmp_path / f"{number}", asked)
        assert nixpy("init", project, *INIT).status == 0
        assert wheels(project)["flask"]["requires"] == wheels(project)["flask"]["by-extras"] == ["house-extra", "rich"]
        found = installed(project)
        assert found[0] == {"house-extra", *({asked} if asked == "house-user" else ())}
        assert {"flask", "rich", "psycopg2"} <= found[1]
        assert nixpy("check", project).status == 0
    plain = shop.project(tmp_path / "plain", "flask", "house")
    assert nixpy("init", plain, *INIT).status == 0
    assert "by-extras" not in wheels(plain)["flask"]
    assert "rich" not in installed(plain)[1]


@pytest.mark.usefixtures("real_nix")
@pytest.mark.parametrize("state", ["-", "throws"])
def test_what_nixpkgs_let_go_of(state: str, tmp_path: Path, nixpy: Nixpy) -> None:
    """A package that nixpkgs had, and that is not there or throws now, is of its wheel."""
    project = shop.project(tmp_path / "one", "house", "numpy")
    assert nixpy("init", project, *INIT).status == 0
    found = installed(project, numpy=state, pyyaml=state)
    assert found == ({"house", "house-two", "numpy", "pyyaml"}, {"psycopg2", "toolz"})


@pytest.mark.usefixtures("real_nix")
def test_locked_versions_come_first(tmp_path: Path, nixpy: Nixpy) -> None:
    """With `versions = "locked"` all are of wheels, but what has none; what nixpkgs' own brings along is there once."""
    project = shop.project(tmp_path / "one", "house", "numpy", extra=LOCKED)
    assert nixpy("init", project, *INIT).status == 0
    assert {'toolz = "toolz";', 'versions = "locked";'} <= set(definitions(project))
    everything = {"house", "house-two", "numpy", "psycopg2-binary", "pyyaml", "toolz"}
    assert installed(project) == (everything, set())
    other = shop.project(tmp_path / "two", "numpy", "scipy", "toolz", extra=LOCKED)
    assert nixpy("init", other, *INIT).status == 0
    assert {'scipy = "scipy";', 'versions = "locked";'} <= set(definitions(other))
    wheel, own = installed(other)
    assert "toolz" in wheel
    assert "scipy" in own
    assert len([name for name in [*wheel, *own] if name == "numpy"]) == 1


@pytest.mark.usefixtures("real_nix")
def test_what_nothing_supplies_is_reported(tmp_path: Path, nixpy: Nixpy) -> None:
    """NIX301 names a package that has no wheel and is not known to nixpkgs; one that nixpkgs has needs no wheel."""
    project = shop.project(tmp_path / "one", "house-source", "scipy")
    made = nixpy("init", project, *INIT, "--format", "json").project
    assert [(problem["code"], problem["package"]) for problem in made["problems"]] == [("NIX301", "house-source")]
    assert definitions(project) == ['house-source = "house-source or null";', 'scipy = "scipy";']
    assert installed(project)[0] == set()
    assert "scipy" in installed(project)[1]


def test_another_setting_is_an_error(tmp_path: Path, nixpy: Nixpy) -> None:
    """With file, line and what may stand there."""
    project = shop.project(tmp_path / "one", "house", extra='[tool.nixpy]\nversions = "newest"\n')
    ran = nixpy("init", project, *INIT)
    assert ran.status == 2
    assert '`tool.nixpy.versions` must be "nixpkgs" or "locked"' in ran.err
    assert "pyproject.toml:10" in ran.err
    assert not (project / "nixpy.nix").exists()


def test_requirements_are_rendered_without_addresses(tmp_path: Path, nixpy: Nixpy, house: SmallIndex) -> None:
    """What the project asks for stands there by name, specifiers and marker."""
    address = f"house @ {house.file_url('house-1.0-py3-none-any.whl')}"
    project = shop.project(tmp_path / "one", address, "NumPy[x]>=2,<10 ; sys_platform == 'linux'", "toolz")
    assert nixpy("init", project, *INIT).status == 0
    text = (project / "nixpy.nix").read_text()
    facts, _, _ = parts(text)
    asked = facts.partition("requirements = [\n")[2].partition("\n    ];")[0]
    assert [json.loads(line) for line in asked.splitlines()] == [
        "house",
        'numpy[x]<10,>=2 ; sys_platform == "linux"',
        "toolz",
    ]
    assert re.search(r"asked = [^;]*\brequirements;", vendored.files(text)["requirements"])
    assert "127.0.0.1" not in text


def test_only_wheels_that_are_taken_must_be_found(tmp_path: Path, nixpy: Nixpy) -> None:
    """NIX304 is about wheels in files or on other indexes, but not where nixpkgs has the package."""
    project = shop.project(tmp_path / "one", "house", "numpy")
    (project / "pylock.toml").write_text('lock-version = "1.0"\ncreated-by = "hand"\n')
    for name in ("house", "numpy"):
        wheel = next((tmp_path / "stock").glob(f"{name}-*.whl"))
        (project / wheel.name).write_bytes(wheel.read_bytes())
        digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
        line = f'{{ name = "{wheel.name}", path = "{wheel.name}", hashes = {{ sha256 = "{digest}" }} }}'
        with (project / "pylock.toml").open("a") as file:
            file.write(f'[[packages]]\nname = "{name}"\nversion = "{wheel.name.split("-")[1]}"\nwheels = [{line}]\n')
    for versions, names in (("nixpkgs", ["house"]), ("locked", ["house", "numpy"])):
        settings = project / "pyproject.toml"
        settings.write_text(settings.read_text().partition("[tool.nixpy]")[0] + LOCKED.replace("locked", versions))
        problems = nixpy("init", project, *INIT, "--format", "json").project["problems"]
        assert [(problem["code"], problem["package"]) for problem in problems] == [("NIX304", name) for name in names]


def test_marked_packages_that_are_allowed_are_facts(tmp_path: Path, nixpy: Nixpy) -> None:
    """The setting is a fact: each package once, by its name in nixpkgs, with the reason above. `check` notices a
    change.
    """
    extra = '[tool.nixpy]\nallow-marked = ["psycopg2.binary", "House", "house"]\n'
    project = shop.project(tmp_path / "one", "toolz", extra=extra)
    assert nixpy("init", project, *INIT).status == 0
    facts, _, _ = parts((project / "nixpy.nix").read_text())
    assert re.search(
        r"# .* insecure or unfree.*`allow-marked`.*\n +allow-marked = \[\s+\"house\"\s+\"psycopg2\"\s+\];", facts
    )
    text = (project / "pyproject.toml").read_text()
    (project / "pyproject.toml").write_text(text.replace('"House", "house"', ""))
    assert nixpy("check", project).status == 1
    (project / "pyproject.toml").write_text(text.replace('"psycopg2.binary", "House", "house"', ""))
    assert nixpy("sync", project, "--offline").status == 0
    assert "allow-marked" not in parts((project / "nixpy.nix").read_text())[0]
