"""`nixpy package`: what an index offers, as a file for buildPythonPackage that real Nix evaluates."""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from nixos.realnix import RELEASES, Nix, NixError, evaluate, lock_flake, stand_in, warnings
from nixos.rfc166 import violations
from nixpy.package.licences import licences
from nixpy.sdists.metadata import read_metadata
from nixpy.sdists.release import top_level
from runner import Nixpy
from smallindex import SmallIndex, build_sdist, build_wheel

pytestmark = pytest.mark.slow  # each test runs uv or several commands

EXAMPLE = Path(__file__).parents[2] / "examples/package"
HATCH = '[build-system]\nrequires = ["hatchling>=1", "hatch-vcs", "tomli; python_version < \'3.11\'"]\n'
FIELDS = (
    "Summary: Adds ${x} and \"quotes\" '' to numbers.",
    "Project-URL: Home Page, https://example.org/demo",
    "License-Expression: MIT OR Apache-2.0",
)
REQUIRES = (
    "numpy>=2",
    "Some_Thing",
    "pywin32; sys_platform == 'win32'",
    "tomli; python_version < '3.11'",
    "requests[socks]; extra == 'net'",
    "demo[net,or]; extra == 'all'",
    "pandas; extra == 'or'",
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, nixpy: Nixpy) -> Iterator[Path]:
    """The folder of an index that nixpy asks."""
    stock = tmp_path / "stock"
    stock.mkdir()
    with SmallIndex(stock, yanked={"yanked-1.0.tar.gz"}, pypi=True) as index:
        monkeypatch.setenv("UV_DEFAULT_INDEX", index.url)
        monkeypatch.chdir(tmp_path)
        yield stock


def sri(path: Path) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(path.read_bytes()).digest()).decode()


def demo(folder: Path) -> Path:
    """A package with all there is; its sdist."""
    extras = ("all", "net", "or")
    build_wheel(folder, "demo", "1.0", requires=REQUIRES, extras=extras, fields=FIELDS)
    return build_sdist(folder, "demo", "1.0", REQUIRES, extras=extras, fields=FIELDS, pyproject=HATCH)


def evaluated(text: str, folder: Path, release: str = "26.05") -> Any:
    """What Nix makes of the rendered file, called from the Python set with `packageOverrides` as the command says,
    silently; `requests` there has an extra as nixpkgs' own has.
    """
    file = folder.parent / "demo.nix"
    file.write_text(text)
    expression = f"""
      let
        pkgs = import {stand_in(release)} {{ system = "x86_64-linux"; }};
        python = pkgs.python313.override {{
          self = python;
          packageOverrides = final: previous: {{
            demo = final.callPackage {file} {{ }};
            some-thing = previous.buildPythonPackage {{ pname = "some-thing"; version = "1"; format = "other"; }};
            requests = previous.buildPythonPackage {{
              pname = "requests";
              version = "1";
              format = "other";
              optional-dependencies.socks = [ previous.scipy ];
            }};
          }};
        }};
        names = map (package: package.pname);
        inherit (python.pkgs) demo;
      in
      {{
        inherit (demo) drvPath version;
        inherit (demo.meta) description homepage;
        hash = demo.src.outputHash;
        url = demo.src.urls;
        needs = names (builtins.filter (package: package ? pname) demo.propagatedBuildInputs);
        extras = builtins.mapAttrs (_: names) demo.optional-dependencies;
        licences = map (license: license.spdxId) (pkgs.lib.toList demo.meta.license);
        inherit (demo) doCheck pythonImportsCheck;
        environment = (python.withPackages (ps: [ ps.demo ])).drvPath;
      }}
    """
    done = Nix("current").run("nix-instantiate", "--eval", "--strict", "--json", "-", stdin=expression)
    assert warnings(done.stderr) == []
    return json.loads(done.stdout)


@pytest.mark.usefixtures("real_nix")
@pytest.mark.parametrize("flags", [(), ("--nixpkgs",)], ids=["own", "nixpkgs"])
def test_the_file_is_what_the_package_says(flags: tuple[str, ...], folder: Path, nixpy: Nixpy) -> None:
    """Version, hash, needs for this Python on Linux, extras with those they stand for, licence and words come back from
    real Nix on every release as they were given; the file follows RFC 166.
    """
    sdist = demo(folder)
    ran = nixpy("package", "demo", *flags)
    assert ran.status == 0
    assert violations(ran.out) == []
    for release in RELEASES:
        found = evaluated(ran.out, folder, release)
        assert found["version"] == "1.0"
        assert (found["hash"], found["url"]) == (sri(sdist), ["mirror://index/demo-1.0.tar.gz"])
        assert found["needs"][:2] == ["numpy", "some-thing"]
        assert found["extras"] == {
            "all": ["pandas", "requests", "scipy"],
            "net": ["requests", "scipy"],
            "or": ["pandas"],
        }
        assert found["licences"] == ["MIT", "Apache-2.0"]
        assert found["description"] == "Adds ${x} and \"quotes\" '' to numbers"
        assert found["homepage"] == "https://example.org/demo"
        assert (found["doCheck"], found["pythonImportsCheck"]) == (False, ["demo"])
    assert "pywin32" not in ran.out
    assert "tomli" not in ran.out


@pytest.mark.usefixtures("real_nix")
def test_an_application_has_its_programs(folder: Path, nixpy: Nixpy, tmp_path: Path) -> None:
    """With --application the file is for buildPythonApplication, as pkgs/by-name calls it too; the program of its
    name is the main one, and its needs are of the same Python. Real Nix takes both on every release.
    """
    points = "[console_scripts]\nother = demo:main\ndemo = demo:main\n[gui_scripts]\nwindow = demo:main\n"
    files = {"demo/__init__.py": "", "demo-1.0.dist-info/entry_points.txt": points}
    build_wheel(folder, "demo", "1.0", requires=("numpy", "requests[socks]"), fields=FIELDS, files=files)
    build_sdist(folder, "demo", "1.0", ("numpy", "requests[socks]"), fields=FIELDS, pyproject=HATCH)
    for flags in (), ("--nixpkgs",):
        ran = nixpy("package", "demo", "--application", *flags)
        assert ran.status == 0
        assert violations(ran.out) == []
        (tmp_path / "demo.nix").write_text(ran.out)
        for release in RELEASES:
            expression = f"""
              let
                pkgs = import {stand_in(release)} {{ system = "x86_64-linux"; }};
                python3Packages = python.pkgs;
                python = pkgs.python313.override {{
                  self = python;
                  packageOverrides = _: previous: {{
                    requests = previous.buildPythonPackage {{
                      pname = "requests";
                      version = "1";
                      format = "other";
                      optional-dependencies.socks = [ previous.scipy ];
                    }};
                  }};
                }};
                demo = pkgs.callPackage {tmp_path / "demo.nix"} {{ inherit python3Packages; }};
              in
              {{
                inherit (demo) drvPath pythonImportsCheck;
                inherit (demo.meta) mainProgram;
                needs = map (p: p.pname) (builtins.filter (p: p ? pname) demo.propagatedBuildInputs);
                module = demo.pythonModule;
              }}
            """
            done = Nix("current").run("nix-instantiate", "--eval", "--strict", "--json", "-", stdin=expression)
            assert warnings(done.stderr) == []
            found = json.loads(done.stdout)
            assert found["needs"][:3] == ["numpy", "requests", "scipy"]
            assert (found["mainProgram"], found["module"]) == ("demo", False)
            assert found["pythonImportsCheck"] == ["demo"]
    assert "pkgs/by-name/de/demo/package.nix" in ran.err
    own = nixpy("package", "demo", "--application", "--python", "3.12")
    assert "demo = pkgs.callPackage ./demo.nix { python3Packages = pkgs.python312Packages; };" in own.err


def test_programs_of_an_application_are_looked_for(folder: Path, nixpy: Nixpy, tmp_path: Path) -> None:
    """Scripts in the wheel are programs; without a wheel pyproject.toml names them; where there is none, that is said.
    An application goes to its place in a checkout of nixpkgs.
    """
    build_wheel(folder, "one", "1.0", files={"one-1.0.data/scripts/run-one": "#!python\n"})
    build_sdist(folder, "two", "1.0", pyproject='[project]\nname = "two"\n[project.scripts]\nrun-two = "two:main"\n')
    build_sdist(
        folder, "path", "1.0", pyproject='[project]\nname = "path"\n[project.scripts]\n"../../x" = "two:main"\n'
    )
    build_wheel(folder, "three", "1.0")
    assert "mainProgram" not in nixpy("package", "path", "--application").out
    assert 'mainProgram = "run-one";' in nixpy("package", "one", "--application").out
    assert 'mainProgram = "run-two";' in nixpy("package", "two", "--application").out
    ran = nixpy("package", "three", "--application")
    assert "mainProgram" not in ran.out
    assert "warning[NIX507]: three is not known to install a program" in ran.err
    assert "NIX507" not in nixpy("package", "three").err
    tree = tmp_path / "nixpkgs"
    (tree / "pkgs/top-level").mkdir(parents=True)
    (tree / "pkgs/top-level/python-packages.nix").touch()
    assert nixpy("package", "two", "--application", "--nixpkgs", "-o", tree).status == 0
    written = tree / "pkgs/by-name/tw/two/package.nix"
    assert written.read_text() == nixpy("package", "two", "--application", "--nixpkgs").out
    assert nixpy("package", "two", "--application", "--nixpkgs", "--format", "json").json["use"] is None


@pytest.mark.usefixtures("real_nix")
def test_the_example_has_its_own_toolz(tmp_path: Path) -> None:
    """The flake of the example evaluates silently on every release, and its environment has the toolz of the file."""
    assert violations((EXAMPLE / "toolz.nix").read_text()) == violations((EXAMPLE / "flake.nix").read_text()) == []
    for release in RELEASES:
        assert [line for said in evaluate(EXAMPLE, release).values() for line in warnings(said)] == []
    flake = Path(shutil.copytree(EXAMPLE, tmp_path / "flake"))
    lock_flake(flake, "26.05")
    package = 'env: map (p: p.version) (builtins.filter (p: p.pname or null == "toolz") env.paths)'
    where = f"path:{flake}#packages.x86_64-linux.default"
    done = Nix("current").run("nix", "eval", "--offline", "--json", where, "--apply", package)
    (version,) = json.loads(done.stdout)
    assert f'version = "{version}";' in (EXAMPLE / "toolz.nix").read_text()
    assert version in (EXAMPLE / "pyproject.toml").read_text()


@pytest.mark.usefixtures("real_nix")
@pytest.mark.parametrize("source", ["sdist", "wheel"])
def test_what_is_not_of_pypi_is_told(source: str, folder: Path, nixpy: Nixpy, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of another index, or of a folder, the file does not say to be of PyPI; that fetchPypi does not find it is told,
    with what to put there, and no address of the index is. With that it evaluates.
    """
    own = folder.parent / "own"
    file = build_wheel(own, "demo", "1.0", fields=FIELDS)
    if source == "sdist":
        file = build_sdist(own, "demo", "1.0", fields=FIELDS, pyproject=HATCH)
    with SmallIndex(own) as index:
        for variables in {"UV_DEFAULT_INDEX": index.url}, {"UV_FIND_LINKS": str(own), "UV_NO_INDEX": "1"}:
            for name, value in variables.items():
                monkeypatch.setenv(name, value)
            ran = nixpy("package", "demo")
            assert violations(ran.out) == []
            assert "from PyPI for" not in ran.out
            assert "  # The index may not be a mirror of PyPI" in ran.out
            said = " ".join(ran.err.split())
            assert "warning[NIX510]: fetchPypi may not find" in said
            assert "`fetchurl`" in said
            assert "127.0.0.1" not in ran.out + ran.err
        text = ran.out.replace("fetchPypi,", "fetchurl,")
        before, _, rest = text.partition("fetchPypi {")
        _, _, after = rest.partition("hash =")
        address = index.file_url(file.name)
        assert evaluated(f'{before}fetchurl {{ url = "{address}"; hash ={after}', folder)["url"] == [address]


def test_what_is_of_pypi_says_so(folder: Path, nixpy: Nixpy) -> None:
    """Of PyPI or a mirror that keeps files as PyPI does, the file says so, and nothing is told."""
    build_sdist(folder, "demo", "1.0", fields=FIELDS, pyproject=HATCH)
    ran = nixpy("package", "demo")
    assert ran.out.startswith("# demo 1.0 from PyPI for nixpkgs' Python set")
    assert "NIX510" not in ran.err


def test_it_tells_how_to_use_it(folder: Path, nixpy: Nixpy) -> None:
    """The lines for an own Python, and for nixpkgs between the neighbours of its name, go to standard error, with what
    is not known to be in nixpkgs.
    """
    demo(folder)
    own = nixpy("package", "demo", "--python", "3.12")
    assert "python = pkgs.python312.override {\n  self = python;\n" in own.err
    assert "demo = final.callPackage ./demo.nix { };" in own.err
    assert "warning[NIX502]: some-thing is not known to be in nixpkgs" in own.err
    assert "some-thing # not known to be in nixpkgs" in own.out
    theirs = nixpy("package", "demo", "--nixpkgs")
    assert "pkgs/development/python-modules/demo/default.nix" in theirs.err
    assert "demo = callPackage ../development/python-modules/demo { };" in theirs.err


def test_the_json_has_all_of_it(folder: Path, nixpy: Nixpy) -> None:
    """The report has the text that is printed, the lines to use it, and the problems, and nothing is said beside it."""
    sdist = demo(folder)
    text = nixpy("package", "demo").out
    ran = nixpy("package", "demo", "--format", "json")
    assert (ran.json["format"], ran.json["text"], ran.err) == (1, text, "")
    assert ran.json["source"]["sha256"] == hashlib.sha256(sdist.read_bytes()).hexdigest()
    assert [problem["code"] for problem in ran.json["problems"]] == ["NIX502", "NIX506"]


@pytest.mark.parametrize("kind", ["tar.gz", "zip"])
def test_setup_py_alone_means_setuptools(kind: str, folder: Path, nixpy: Nixpy) -> None:
    """An sdist without pyproject.toml is built by setuptools, which a comment says; what only its setup.py may tell is
    a problem, and so is a licence that is left open.
    """
    fields = ("Dynamic: Requires-Dist", "Classifier: License :: OSI Approved :: BSD License")
    build_sdist(folder, "old", "1.0", fields=fields, pyproject="", kind=kind)
    ran = nixpy("package", "old")
    assert ran.status == 0
    assert "(PEP 517).\n  build-system = [ setuptools ];" in ran.out
    assert "# license: BSD License; see lib.licenses" in ran.out
    assert "NIX503" in ran.err
    assert "NIX504" in ran.err
    assert ('extension = "zip";' in ran.out) == (kind == "zip")
    assert violations(ran.out) == []


def test_pbr_is_told_the_version(folder: Path, nixpy: Nixpy) -> None:
    """pbr, which nixpkgs gives no hook, reads the version from its variable; setuptools-scm has a hook and none."""
    build = '[build-system]\nrequires = ["setuptools", "{}"]\n'
    build_sdist(folder, "one", "1.0", pyproject=build.format("pbr"))
    build_sdist(folder, "two", "1.0", pyproject=build.format("setuptools-scm"))
    assert "env.PBR_VERSION = version;" in nixpy("package", "one").out
    assert "env.PBR_VERSION = finalAttrs.version;" in nixpy("package", "one", "--nixpkgs").out
    assert "env." not in nixpy("package", "two").out


@pytest.mark.usefixtures("real_nix")
def test_hostile_words_stay_words(folder: Path, nixpy: Nixpy) -> None:
    """What would end a string, a comment or a name in Nix is read as text, or left out where it is no name."""
    evil = 'X"; y = throw "evil"; z = "${evil}'
    fields = (f"Summary: {evil}", f"Provides-Extra: {evil}", "License: ''; } */ throw 1", "Home-page: https://a/${b}")
    build_sdist(folder, "demo", "1.0", fields=fields)
    build_wheel(folder, "demo", "1.0", fields=fields, files={f"{evil}.py": "", "demo.py": ""})
    text = nixpy("package", "demo").out.replace("no-such-backend,", 'no-such-backend ? "",')
    assert "# license: ''; } */ throw 1; see lib.licenses" in text
    found = evaluated(text.replace("    # license", "    license = [ ];\n    # license"), folder)
    assert (found["description"], found["homepage"], found["extras"]) == (evil, "https://a/${b}", {})
    assert found["pythonImportsCheck"] == ["demo"]


def test_nothing_is_run(folder: Path, nixpy: Nixpy) -> None:
    """A build backend inside the sdist, which metadata left to it would call for, is not called."""
    trap = folder.parent / "ran"
    stem = "trap-1.0"
    code = f"open({str(trap)!r}, 'w')\n".encode()
    build_sdist(
        folder,
        "trap",
        "1.0",
        files={
            f"{stem}/PKG-INFO": b"Metadata-Version: 2.1\nName: trap\nVersion: 1.0\n",
            f"{stem}/pyproject.toml": b'[build-system]\nrequires = []\nbuild-backend = "b"\nbackend-path = ["."]\n',
            f"{stem}/b.py": code,
            f"{stem}/setup.py": code,
        },
    )
    assert nixpy("package", "trap").status == 0
    assert not trap.exists()


@pytest.mark.usefixtures("real_nix")
def test_a_wheel_where_there_is_no_sdist(folder: Path, nixpy: Nixpy) -> None:
    """A package of wheels alone is installed from that of pure Python, by its own hash and address."""
    wheel = build_wheel(folder, "demo", "1.0", fields=FIELDS)
    ran = nixpy("package", "demo==1.0")
    assert violations(ran.out) == []
    assert 'format = "wheel";' in ran.out
    found = evaluated(ran.out, folder)
    assert (found["hash"], found["url"]) == (sri(wheel), [f"mirror://index/py3/{wheel.name}"])


def test_files_are_not_overwritten(folder: Path, nixpy: Nixpy, tmp_path: Path) -> None:
    """`-o` writes the file that is printed; over one that is there only with --force; into a nixpkgs that is one."""
    demo(folder)
    file, text = tmp_path / "my.nix", nixpy("package", "demo").out
    assert nixpy("package", "demo", "-o", file).status == 0
    assert file.read_text() == text
    file.write_text("mine")
    assert nixpy("package", "demo", "-o", file).status == 2
    assert file.read_text() == "mine"
    assert "./my.nix" in nixpy("package", "demo", "-o", file, "--force").err
    assert file.read_text() == text
    link = tmp_path / "link.nix"
    link.symlink_to(tmp_path / "nowhere.nix")
    assert nixpy("package", "demo", "-o", link).status == 2
    assert link.is_symlink()
    assert not link.exists()
    for name in ("elsewhere", "named"):
        (tmp_path / name).mkdir()
    link = tmp_path / "named/link.nix"
    link.symlink_to("../elsewhere/demo.nix")
    linked = nixpy("package", "demo", "-o", link, "--force")
    assert linked.status == 2
    assert f"{link}: this points to {tmp_path}/elsewhere/demo.nix" in linked.err
    tree = tmp_path / "nixpkgs"
    assert nixpy("package", "demo", "--nixpkgs", "-o", tree).status == 2
    assert not tree.exists()
    (tree / "pkgs/top-level").mkdir(parents=True)
    (tree / "pkgs/top-level/python-packages.nix").touch()
    assert nixpy("package", "demo", "--nixpkgs", "-o", tree).status == 0
    written = tree / "pkgs/development/python-modules/demo/default.nix"
    assert written.read_text() == nixpy("package", "demo", "--nixpkgs").out
    written.unlink()
    written.parent.rmdir()
    written.parent.symlink_to(tmp_path / "elsewhere")
    linked = nixpy("package", "demo", "--nixpkgs", "-o", tree)
    assert linked.status == 2
    assert f"the link {written.parent} points to {tmp_path}/elsewhere/default.nix" in linked.err
    assert list((tmp_path / "elsewhere").iterdir()) == []


def damaged(folder: Path) -> None:
    build_sdist(folder, "bad", "1.0")
    (path,) = folder.glob("bad-*")
    path.write_bytes(path.read_bytes()[:-40])


def named(*names: str) -> Callable[[Path], object]:
    info = b"Metadata-Version: 2.2\nName: bad\nVersion: 1.0\n"
    files = {"bad-1.0/PKG-INFO": info, **dict.fromkeys(names, b"x")}
    return lambda folder: build_sdist(folder, "bad", "1.0", files=files)


def void(_: object) -> None:
    """Forget a value."""


BAD: dict[str, tuple[str, str, Callable[[Path], object]]] = {
    "unknown": ("nosuchpackage", "no index has a package nosuchpackage", void),
    "version": ("demo==9", "no index has version 9 of demo", demo),
    "yanked": ("yanked==1.0", "yanked 1.0 was yanked", lambda folder: build_sdist(folder, "yanked", "1.0")),
    "name": ("no name", "is not the name of a package", void),
    "extras": ("demo[net]", "names extras", demo),
    "range": ("demo>=1", "is not the name of a package", demo),
    "damaged": ("bad", "damaged", damaged),
    "no gzip": ("bad", "damaged", lambda folder: (folder / "bad-1.0.tar.gz").write_bytes(b"\x1f\x8bnothing")),
    "no zip": ("bad", "damaged", lambda folder: (folder / "bad-1.0.zip").write_bytes(b"PK nothing")),
    "outside": ("bad", "has a file named", named("bad-1.0/../../evil")),
    "absolute": ("bad", "has a file named", named("/etc/evil")),
    "no PKG-INFO": (
        "bad",
        "is not an sdist",
        lambda folder: build_sdist(folder, "bad", "1.0", files={"bad-1.0/x": b""}),
    ),
    "two": ("bad", "is not an sdist", named("other/PKG-INFO")),
    "bomb": (
        "bad",
        "absurd size",
        lambda folder: build_sdist(folder, "bad", "1.0", files={"bad-1.0/x": bytes(80 << 20)}),
    ),
    "zip bomb": (
        "bad",
        "absurd size",
        lambda folder: build_sdist(folder, "bad", "1.0", files={"bad-1.0/PKG-INFO": bytes(17 << 20)}, kind="zip"),
    ),
    "another": (
        "bad",
        "names 'worse'",
        lambda folder: build_sdist(
            folder, "bad", "1.0", files={"bad-1.0/PKG-INFO": b"Metadata-Version: 2.2\nName: worse\nVersion: 1.0\n"}
        ),
    ),
    "another wheel": (
        "bad",
        "names 'worse'",
        lambda folder: build_wheel(folder, "worse", "1.0").rename(folder / "bad-1.0-py3-none-any.whl"),
    ),
    "another version": (
        "bad",
        "names 'bad' '2.0'",
        lambda folder: build_wheel(folder, "bad", "2.0").rename(folder / "bad-1.0-py3-none-any.whl"),
    ),
    "TOML": ("bad", "not valid TOML", lambda folder: build_sdist(folder, "bad", "1.0", pyproject="[build")),
    "shape": ("bad", "is damaged", lambda folder: build_sdist(folder, "bad", "1.0", pyproject="build-system = 1")),
    "requirement": (
        "bad",
        "cannot be read",
        lambda folder: build_sdist(folder, "bad", "1.0", pyproject='[build-system]\nrequires = ["a b"]'),
    ),
    "marker": (
        "bad",
        "cannot be evaluated",
        lambda folder: build_sdist(folder, "bad", "1.0", ["numpy; 'x' ~= 'y'"]),
    ),
    "compiled": (
        "bad",
        "the index has neither an sdist nor a pure Python wheel of bad 1.0",
        lambda folder: build_wheel(folder, "bad", "1.0", "cp313-cp313-manylinux_2_17_x86_64"),
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_error(case: str, folder: Path, nixpy: Nixpy, tmp_path: Path) -> None:
    """What does not exist, was yanked, is damaged or hostile ends with one error that says so, and nothing written."""
    asked, message, make = BAD[case]
    make(folder)
    ran = nixpy("package", asked, "-o", tmp_path / "out.nix")
    assert (ran.status, ran.out) == (2, "")
    assert ran.err.count("error") == 1
    assert message in " ".join(ran.err.split())
    assert [path.name for path in tmp_path.iterdir()] == ["stock"]


def test_a_file_that_is_not_the_indexs_is_refused(folder: Path, nixpy: Nixpy, monkeypatch: pytest.MonkeyPatch) -> None:
    """An sdist whose hash is not the one that the index tells ends with an error that shows both."""
    sdist = demo(folder)
    address = f"{sdist.as_uri()}#sha256={'0' * 64}"
    simple = folder.parent / "simple/demo"
    simple.mkdir(parents=True)
    (simple / "index.html").write_text(f'<a href="{address}">{sdist.name}</a>')
    monkeypatch.setenv("UV_DEFAULT_INDEX", simple.parent.as_uri())
    ran = nixpy("package", "demo")
    assert (ran.status, ran.out) == (2, "")
    assert hashlib.sha256(sdist.read_bytes()).hexdigest() in ran.err
    assert "0" * 64 in ran.err


def test_offline_asks_for_no_file(folder: Path, nixpy: Nixpy) -> None:
    """With --offline a file on a server is an error with a way out."""
    demo(folder)
    assert nixpy("package", "demo").status == 0
    ran = nixpy("package", "demo", "--offline")
    assert ran.status == 2
    assert "--offline" in ran.err


def test_offline_a_package_that_was_never_seen_is_one_line(
    folder: Path, nixpy: Nixpy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With --offline a package that uv's cache does not hold is told in one line, with the way out."""
    monkeypatch.setenv("UV_CACHE_DIR", str(folder.parent / "cache"))
    for asked, name in ("neverseen", "neverseen"), ("neverseen==1.0", "neverseen 1.0"):
        ran = nixpy("package", "--offline", asked)
        assert (ran.status, ran.out) == (2, "")
        error, hint = ran.err.splitlines()
        assert error == f"error[NIX706]: {name} is not in uv's cache, and --offline forbids network access"
        assert hint == "  hint: Run without --offline."


def test_programs_that_nixpkgs_has_are_told(folder: Path, nixpy: Nixpy) -> None:
    """For an application a program of nixpkgs' top level is told to be there, as the library is for a package; what
    only starts such a program is another thing.
    """
    for name in "ruff", "clang-format", "imageio-ffmpeg", "toolz":
        build_sdist(folder, name, "1.0")
    said = {name: nixpy("package", name, "--application").err for name in ("ruff", "clang-format", "imageio-ffmpeg")}
    assert "warning[NIX501]: nixpkgs has the programs of ruff: pkgs.ruff" in said["ruff"]
    assert "warning[NIX501]: nixpkgs has the programs of clang-format: pkgs.clang-tools" in said["clang-format"]
    assert "pkgs.ffmpeg" not in said["imageio-ffmpeg"]
    assert "nixpkgs has the programs" not in nixpy("package", "ruff").err
    assert "warning[NIX501]: nixpkgs has toolz" in nixpy("package", "toolz", "--application").err


@pytest.mark.usefixtures("real_nix")
def test_an_extra_that_a_release_lacks_is_nothing(folder: Path, nixpy: Nixpy) -> None:
    """A file of ours evaluates where the extra of a dependency is missing, or all are, with what is in those that are
    there; nixpkgs' own form wants it to be there.
    """
    requires = ("requests[security,socks]", "numpy[security]", "pandas[absent]; extra == 'more'")
    build_wheel(folder, "demo", "1.0", requires=requires, extras=["more"], fields=FIELDS)
    build_sdist(folder, "demo", "1.0", requires, extras=["more"], fields=FIELDS, pyproject=HATCH)
    ran = nixpy("package", "demo")
    assert violations(ran.out) == []
    for release in RELEASES:
        found = evaluated(ran.out, folder, release)
        assert found["needs"][:3] == ["numpy", "requests", "scipy"]
        assert found["extras"] == {"more": ["pandas"]}
    theirs = nixpy("package", "demo", "--nixpkgs").out
    assert violations(theirs) == []
    with pytest.raises(NixError, match="security"):
        evaluated(theirs, folder)


def test_modules_at_the_top() -> None:
    """Modules, packages and extension modules are what one imports; in a namespace the packages in it; tests, private
    ones and metadata are not.
    """
    paths = (
        "one/__init__.py",
        "one/sub/__init__.py",
        "two.py",
        "three.cpython-313-x86_64-linux-gnu.so",
        "four.abi3.so",
        "google/cloud/five/__init__.py",
        "six-1.0.data/purelib/six.py",
        "tests/__init__.py",
        "_private.py",
        "one-1.0.dist-info/METADATA",
        "seven/data.txt",
    )
    assert top_level(paths) == ("four", "google.cloud.five", "one", "six", "three", "two")


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ("License-Expression: MIT", ("mit",)),
        ("License-Expression: (MIT AND BSD-3-Clause) OR Apache-2.0", ("mit", "bsd3", "asl20")),
        ("License-Expression: MIT AND LicenseRef-Own", ()),
        ("License-Expression: LGPL-2.1-only OR MPL-1.1", ("lgpl21Only", "mpl11")),
        ("License-Expression: MIT AND (GPL-2.0-or-later OR AFL-2.1)", ("mit", "gpl2Plus", "afl21")),
        ("Classifier: License :: OSI Approved :: Mozilla Public License 1.1 (MPL 1.1)", ("mpl11",)),
        ("License-Expression: Apache-2.0 WITH LLVM-exception", ()),
        ("Classifier: License :: OSI Approved :: MIT License", ("mit",)),
        ("Classifier: License :: OSI Approved :: BSD License\nLicense: BSD-3-Clause", ("bsd3",)),
        ("Classifier: License :: OSI Approved :: BSD License", ()),
        ("License: apache-2.0", ("asl20",)),
        ("License: see the file", ()),
        ("Summary: none", ()),
    ],
)
def test_licences(fields: str, expected: tuple[str, ...]) -> None:
    """The expression decides, then classifiers, then an expression in the old field; an unknown one spoils all."""
    text = f"Metadata-Version: 2.4\nName: a\nVersion: 1\n{fields}\n"
    assert licences(read_metadata(text.encode(), "a.whl", wheel=True)) == expected
