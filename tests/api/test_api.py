"""The Python API: typed, lazy, and the same results as the command line."""

from __future__ import annotations

import ast
import doctest
import hashlib
import inspect
import os
import re
import runpy
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from pathlib import Path

import generate
import pytest

import nixpy as api
import shop
from docs.blocks import blocks
from elfbuild import elf
from nixpy import __main__ as program
from nixpy import api as functions
from nixpy.files.reconcile import parts
from runner import Nixpy
from smallindex import SmallIndex, build_wheel

TOP = Path(__file__).parents[2]
PAGE = TOP / "docs/reference/python.md"
NEVER_AT_IMPORT = {"click", "jinja2", "rich", "tomlkit", "urllib3"}


@pytest.fixture
def place(tmp_path: Path, nixpy: Nixpy, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which the examples of the documentation start: with the project `demo`, and a wheel in `dist`."""
    shutil.copytree(TOP / "examples/poetry", tmp_path / "demo")
    content = elf(needed=["libGL.so.1", "libz.so.1", "libc.so.6"], versions={"libc.so.6": ["GLIBC_2.28"]})
    tag = "cp313-cp313-manylinux_2_28_x86_64"
    build_wheel(tmp_path / "dist", "sketch", "1.0", tag, files={"sketch/canvas.abi3.so": content})
    assert nixpy("sync", tmp_path / "demo", "--offline").status == 0
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def project(tmp_path: Path, nixpy: Nixpy) -> Path:
    """A project whose wheels the small index has; nixpy does not manage it yet."""
    return shop.project(tmp_path / "project", "alpha")


def loaded(code: str, cwd: Path | None = None) -> set[str]:
    """Return the modules that a fresh Python has loaded after `code`, and that it does not load without it."""
    script = f"import sys; before = set(sys.modules)\n{code}\nprint(*sorted(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=cwd)
    return set(done.stdout.splitlines()[-1].split())


# --- what it costs ----------------------------------------------------------------------------------------------------


def test_the_import_loads_nothing_else() -> None:
    """`import nixpy` costs what an empty package costs: it loads one module."""
    assert loaded("import nixpy") == {"nixpy"}


def test_the_module_of_the_functions_loads_none_of_theirs() -> None:
    """A function imports what it needs when it is called."""
    found = loaded("import nixpy.api")
    assert {name for name in found if name.startswith("nixpy")} == {"nixpy", "nixpy.api"}
    assert not found & NEVER_AT_IMPORT


@pytest.mark.slow
@pytest.mark.parametrize(
    ("code", "allowed"),
    [
        ("nixpy.read_elf(b'', 'empty.so')", set()),
        ("nixpy.find_soname('libz.so.1')", set()),
        ("nixpy.make_target('x86_64-linux')", set()),
        ("nixpy.read_lock('demo/poetry.lock')", set()),
        ("nixpy.read_project('demo')", set()),
        ("nixpy.NetworkError", set()),
        ("nixpy.check(nixpy.read_project('demo'))", {"jinja2"}),
        ("nixpy.plan(nixpy.read_project('demo'), user_files=False, offline=True)", {"jinja2"}),
    ],
)
def test_a_function_loads_only_what_it_needs(place: Path, code: str, allowed: set[str]) -> None:
    """No function loads the modules of the command line; only rendering loads Jinja."""
    assert loaded(f"import nixpy\n{code}", place) & NEVER_AT_IMPORT <= allowed


# --- names and types --------------------------------------------------------------------------------------------------


def test_every_name_is_there() -> None:
    """`__all__` is sorted, each of its names can be used, and `dir` lists them all."""
    assert api.__all__ == sorted(api.__all__)
    assert all(getattr(api, name) is not None for name in api.__all__)
    assert set(api.__all__) <= set(dir(api))


def test_type_checkers_and_programs_get_the_same() -> None:
    """The imports for type checkers and the table for lazy imports name the same modules."""
    tree = ast.parse(Path(api.__file__).read_text("utf-8"))
    block = next(node for node in tree.body if isinstance(node, ast.If))
    typed = {
        alias.name: f"{node.module}" for node in block.body if isinstance(node, ast.ImportFrom) for alias in node.names
    }
    assert typed == {name: f"nixpy.{module}" for name, module in api._MODULES.items()}
    assert {*typed, "__version__"} == set(api.__all__)


def test_another_name_is_an_attribute_error() -> None:
    """A name that the API does not have is reported as by any module."""
    with pytest.raises(AttributeError, match="module 'nixpy' has no attribute 'no_such_name'"):
        _ = api.no_such_name  # type: ignore[attr-defined]


@pytest.mark.slow
def test_a_typed_program_passes_mypy_and_runs(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Mypy in strict mode finds the type of each result, and reports each misuse; the program itself runs."""
    copied = place / "program.py"
    shutil.copy(TOP / "tests/helpers/typedprogram.py", copied)
    checker = [sys.executable, "-m", "mypy", "--strict", "--config-file=", "--cache-dir=types", copied.name]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MYPY")}
    done = subprocess.run(checker, capture_output=True, text=True, check=False, cwd=place, env=environment)
    assert done.stdout == "Success: no issues found in 1 source file\n", done.stdout + done.stderr
    capsys.readouterr()
    runpy.run_path(str(copied), run_name="__main__")
    lines = ["{'demo': 'fresh'}", "['nixpy.lock', 'nixpy.nix']", "pillow 13.0.0", "nixpkgs pkgs.zlib"]
    assert capsys.readouterr().out.splitlines() == lines


def test_results_cannot_be_changed(place: Path) -> None:
    """What the functions return is frozen."""
    project = api.read_project("demo")
    lock, target = api.read_lock("demo/poetry.lock"), api.make_target("x86_64-linux")
    results = (project, api.plan(project, offline=True), api.check(project), lock, target, api.find_soname("libz.so.1"))
    for result in results:
        assert is_dataclass(result)
        with pytest.raises(AttributeError):
            setattr(result, fields(result)[0].name, None)


# --- the documentation ------------------------------------------------------------------------------------------------


def run_examples(text: str, name: str) -> None:
    """Run the examples in a text as one session."""
    test = doctest.DocTestParser().get_doctest(text, {}, name, name, 0)
    assert test.examples, f"{name} has no example"
    printed: list[str] = []
    doctest.DocTestRunner(verbose=False).run(test, out=printed.append)
    assert not printed, "".join(printed)


def test_the_examples_of_the_page_run(place: Path) -> None:
    """What the page shows is what a program gets."""
    run_examples("".join(block.text for block in blocks(PAGE) if block.language == "pycon"), PAGE.name)


FUNCTIONS = [name for name in api.__all__ if inspect.isfunction(getattr(api, name))]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_example_of_a_function_runs(place: Path, name: str) -> None:
    """The docstring of each function has an example, which runs; and it says which errors there are."""
    text = inspect.getdoc(getattr(api, name)) or ""
    run_examples(text, name)
    assert ("Raises:" in text) == (name not in {"find_soname", "read_elf"})


def test_the_page_has_every_function() -> None:
    """The generated part of the page has a section for each function, with all its parameters."""
    shown = generate.python_api()
    sections = dict(re.findall(r"^### (\S+)\n(.*?)(?=^### |\Z)", shown, re.MULTILINE | re.DOTALL))
    assert {*FUNCTIONS, "LockFile.packages"} == sections.keys()
    for name in FUNCTIONS:
        documented = set(re.findall(r"^- `(\w+)`: ", sections[name], re.MULTILINE))
        parameters = set(inspect.signature(getattr(api, name)).parameters)
        assert parameters - documented <= {"name", "path"}, name
    assert PAGE.read_text("utf-8").count("<!-- generated: python -->") == 1


def test_the_page_lists_every_class_with_what_it_has() -> None:
    """The table of types has all classes of the API, and only attributes that they have."""
    table = PAGE.read_text("utf-8").partition("| class |")[2]
    rows = [re.split(r"(?<!\\) ?\| ?", line) for line in table.splitlines() if line.startswith("| `")]
    listed = {row[1].strip("`"): re.findall(r"`(\w+)`", row[3]) for row in rows}
    assert listed.keys() == {name for name in api.__all__ if inspect.isclass(getattr(api, name))}
    for name, attributes in listed.items():
        kind = getattr(api, name)
        own = {field.name for field in fields(kind)} if is_dataclass(kind) else set()
        own |= set(vars(api.ProjectError("")) | {"code": ""} if issubclass(kind, api.NixpyError) else ())
        assert [word for word in attributes if word not in own and not hasattr(kind, word)] == [], name


# --- plan -------------------------------------------------------------------------------------------------------------


def contents(folder: Path) -> dict[str, bytes]:
    """Return the files below a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "arguments"),
    [
        ({}, []),
        ({"style": "fhs"}, ["--style", "fhs"]),
        ({"style": "buildFHSEnv", "direnv": True}, ["--style", "buildFHSEnv", "--direnv"]),
        ({"flake": False, "python": "3.12"}, ["--no-flake", "--python", "3.12"]),
        ({"systems": ["x86_64-linux"], "features": ["qt"]}, ["--system", "x86_64-linux", "--feature", "qt"]),
        ({"nixpkgs": "nixos-25.11", "manager": "pip"}, ["--nixpkgs", "nixos-25.11", "--manager", "pip"]),
    ],
)
def test_a_plan_is_what_init_writes(
    project: Path, nixpy: Nixpy, options: dict[str, object], arguments: list[str]
) -> None:
    """`plan` returns the files that `nixpy init` writes, byte for byte, and writes none itself."""
    before = contents(project)
    plan: Callable[..., api.Plan] = api.plan
    planned = plan(api.read_project(project), **options)
    assert contents(project) == before
    assert nixpy("init", project, *arguments).status == 0
    after = contents(project)
    assert {str(file.path.relative_to(project)): file.text.encode() for file in planned.files} == {
        name: after[name] for name in after if after[name] != before.get(name)
    }


def test_a_plan_without_user_files_is_what_sync_writes(project: Path, nixpy: Nixpy) -> None:
    """The plan then has the generated files alone, and needs a project with a style."""
    with pytest.raises(api.ProjectError, match="does not manage this project yet"):
        api.plan(api.read_project(project), user_files=False)
    assert nixpy("init", project).status == 0
    shop.project(project, "alpha", "gamma", extra='[tool.nixpy]\nstyle = "loader"\npython = "3.13"\n')
    planned = api.plan(api.read_project(project), user_files=False)
    assert [(file.path.name, file.generated) for file in planned.files] == [("nixpy.lock", True), ("nixpy.nix", True)]
    assert nixpy("sync", project).status == 0
    assert [file.path.read_text() for file in planned.files] == [file.text for file in planned.files]


def test_progress_is_reported(project: Path) -> None:
    """The object that a program passes learns how many wheels there are, and of each."""
    seen: list[object] = []

    class Watch:
        def start(self, total: int) -> None:
            seen.append(total)

        def step(self, name: str, how: str) -> None:
            seen.append((name, how != ""))

    api.plan(api.read_project(project), systems=["x86_64-linux"], progress=Watch())
    assert seen == [1, ("alpha", True)]


# --- check ------------------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("fresh", "up to date"),
        ("older library", "older library"),
        ("stale", "out of date"),
        ("edited", "edited"),
        ("merge conflict", "in a merge conflict"),
        ("never analysed", "not generated"),
        ("foreign", "foreign"),
        ("newer", "from a newer nixpy"),
    ],
)
def test_the_state_of_a_project(project: Path, nixpy: Nixpy, state: str, words: str) -> None:
    """`check` returns the state that `nixpy check` prints in words, with its exit status."""
    assert nixpy("init", project, "--style", "loader").status == 0
    path = project / "nixpy.nix"
    generated = path.read_text()
    if state == "older library":
        _with_another_library(path)
    elif state == "stale":
        settings = project / "pyproject.toml"
        settings.write_text(settings.read_text().replace('"alpha",', '"alpha", "beta",'))
    elif state == "edited":
        path.write_text(generated + "# my own line\n")
    elif state == "merge conflict":
        path.write_text(generated.replace("\n", "\n<<<<<<< HEAD\n=======\n>>>>>>> other\n", 1))
    elif state == "never analysed":
        path.unlink()
    elif state == "foreign":
        path.write_text("{ }\n")
    elif state == "newer":
        _of_a_newer_format(path)
    verdict = api.check(api.read_project(project))
    assert verdict.state == state
    ran = nixpy("check", project)
    assert ran.status == verdict.status
    lead = f"{'error' if ran.status else 'warning'}[{verdict.code}]: " if verdict.code else ""
    assert ran.out.splitlines()[0].startswith(f"{lead}{project}: {words}")
    assert (verdict.code is None) is (state == "fresh")


def _with_another_library(path: Path) -> None:
    """Change the text of the library, as another nixpy would have written it."""
    text = path.read_text()
    _, library, checksum = parts(text)
    assert checksum
    other = library + "# other\n"
    path.write_text(text.replace(library, other).replace(checksum, hashlib.sha256(other.encode()).hexdigest()))


def _of_a_newer_format(path: Path) -> None:
    """Change the number of the format, as a newer nixpy would have written it."""
    text = re.sub(r"(?<=# nixpy format )\d+", "99", path.read_text(), count=1)
    facts = parts(text)[0]
    found = re.search(r"sha256 ([0-9a-f]{64})", facts)
    assert found
    checksum = hashlib.sha256(facts.replace(found[1], "", 1).encode()).hexdigest()
    path.write_text(text.replace(found[1], checksum, 1))


def test_a_rescan_opens_the_wheels(project: Path, nixpy: Nixpy) -> None:
    """With `rescan` the wheels are read again."""
    assert nixpy("init", project, "--style", "loader").status == 0
    assert api.check(api.read_project(project), rescan=True).state == "fresh"


# --- scan and the readers ---------------------------------------------------------------------------------------------


def test_a_scan_takes_what_the_command_takes(place: Path, project: Path, nixpy: Nixpy) -> None:
    """Paths and text, one target and several; the result is that of `nixpy scan`."""
    (wheel,) = (place / "dist").iterdir()
    assert api.scan(wheel) == api.scan(str(wheel)) == api.scan([wheel])
    scans = api.scan(["alpha", "beta==1.0"], python="3.13", systems="x86_64-linux")
    assert [one.name for one in scans.wheels] == ["alpha", "beta"]
    report = nixpy("scan", "alpha", "beta==1.0", "--python=3.13", "--system=x86_64-linux", "--format=json").json
    assert [one["filename"] for one in report["wheels"]] == [one.filename for one in scans.wheels]
    assert [one["soname"] for one in report["libraries"]] == [one.soname for one in scans.libraries]
    assert {one.name for one in api.scan(project, systems=["aarch64-linux"]).wheels} == {"alpha"}


def test_a_lock_has_packages_by_extra_and_group(tmp_path: Path) -> None:
    """Extras and groups are plain text, in any spelling."""
    conditions = {"always": "", "fast": "'fast-math' in extras", "tool": "'dev' in dependency_groups"}
    packages = "".join(
        f'\n[[packages]]\nname = "{name}"\nversion = "1"\n'
        + (f'marker = "{condition}"\n' if condition else "")
        + f'[[packages.wheels]]\nurl = "https://index.example/{name}-1-py3-none-any.whl"\nhashes.sha256 = "00"\n'
        for name, condition in conditions.items()
    )
    head = 'lock-version = "1.0"\ncreated-by = "hand"\nextras = ["fast-math"]\ndependency-groups = ["dev"]\n'
    (tmp_path / "pylock.toml").write_text(head + packages)
    lock = api.read_lock(tmp_path / "pylock.toml")
    target = api.make_target("aarch64-linux")
    assert [package.name for package in lock.packages(target)] == ["always"]
    assert [package.name for package in lock.packages(target, ["Fast_Math"], ["Dev"])] == ["always", "fast", "tool"]
    with pytest.raises(api.LockError):
        lock.packages(target, ["unknown"])


# --- errors -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"pyproject.toml": "[project"},
        {"pyproject.toml": "[project]\nname = 1\n"},
        {"pyproject.toml": '[project]\nname = "a"\n[tool.nixpy]\nstile = "fhs"\n'},
        {"pyproject.toml": '[project]\nname = "a"\n[tool.nixpy]\nstyle = "no-such-style"\n'},
        {"pyproject.toml": '[project]\nname = "a"\n[tool.nixpy]\nlock = "missing.lock"\n'},
        {"pyproject.toml": '[project]\nname = "a"\ndependencies = []\n[tool.nixpy]\nlibrary = "input"\n'},
        {"requirements.txt": "numpy ==\n"},
        {"setup.py": "print(\n"},
    ],
)
def test_a_project_that_is_not_valid_is_a_project_error(tmp_path: Path, files: dict[str, str]) -> None:
    """Files and settings of the project raise ProjectError, which says what to do."""
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    with pytest.raises(api.ProjectError) as error:
        api.plan(api.read_project(tmp_path), offline=True)
    assert error.value.path is not None


@pytest.mark.parametrize("name", ["uv.lock", "pylock.toml", "poetry.lock", "pdm.lock"])
@pytest.mark.parametrize("text", [None, "", "[broken", "\xff", "version = 99\nlock-version = '99'"])
def test_a_lock_that_is_not_valid_is_a_lock_error(tmp_path: Path, name: str, text: str | None) -> None:
    """A lock file that is missing, empty, damaged or of a newer version raises LockError, also by way of a project."""
    path = tmp_path / name
    if text is not None:
        path.write_bytes(text.encode("latin-1"))
    with pytest.raises(api.LockError) as error:
        api.read_lock(path)
    assert error.value.path == path
    if text is not None:
        (tmp_path / "pyproject.toml").write_text('[project]\nname = "a"\nversion = "1"\n')
        with pytest.raises(api.LockError):
            api.plan(api.read_project(tmp_path), offline=True)


def test_a_pipfile_lock_that_is_not_valid_is_a_lock_error(tmp_path: Path) -> None:
    """The same holds for a lock that has pins alone."""
    (tmp_path / "Pipfile.lock").write_text("{")
    with pytest.raises(api.LockError):
        api.plan(api.read_project(tmp_path), offline=True)


def test_a_wheel_that_the_server_lacks_is_a_network_error(tmp_path: Path, nixpy: Nixpy, index: SmallIndex) -> None:
    """An index that lacks a locked wheel raises NetworkError."""
    name = "gone-1.0-cp313-cp313-manylinux_2_17_x86_64.whl"
    wheel = f'{{ name = "{name}", url = "{index.url}/{name}", hashes = {{ sha256 = "{"0" * 64}" }} }}'
    package = f'{{ name = "gone", version = "1.0", wheels = [{wheel}] }}'
    (tmp_path / "pylock.toml").write_text(f'lock-version = "1.0"\ncreated-by = "hand"\npackages = [{package}]\n')
    with pytest.raises(api.NetworkError):
        api.scan(tmp_path / "pylock.toml", python="3.13", systems=["x86_64-linux"])


@pytest.mark.parametrize(
    "call",
    [
        lambda: api.make_target("riscv64-linux"),
        lambda: api.make_target("x86_64-linux", python="2.7"),
        lambda: api.scan("no such target"),
        lambda: api.scan(["demo", "numpy"]),
        lambda: api.plan(api.read_project("demo"), "no-such-style"),
        lambda: api.plan(api.read_project("demo"), python="three"),
        lambda: api.plan(api.read_project("demo"), features=["no-such-feature"]),
    ],
)
def test_an_argument_that_is_not_valid_is_the_base_error(place: Path, call: Callable[[], object]) -> None:
    """A wrong argument is no error of the project, of a lock or of the network."""
    with pytest.raises(api.NixpyError) as error:
        call()
    assert error.value.code == "NIX702"
    assert not isinstance(error.value, api.ProjectError | api.LockError | api.NetworkError)


# --- the command line -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("plan", ["init"]),
        ("plan", ["sync"]),
        ("check", ["check"]),
        ("check", ["check", "--rescan"]),
        ("scan", ["scan"]),
    ],
)
def test_the_command_line_calls_the_api(
    place: Path, monkeypatch: pytest.MonkeyPatch, name: str, arguments: list[str]
) -> None:
    """A command asks the function of the API that a program would call."""

    class CalledError(BaseException):
        """No Exception, as the command line makes a message of each."""

    def instead(*_arguments: object, **_options: object) -> None:
        raise CalledError

    monkeypatch.setattr(functions, name, instead)
    monkeypatch.setattr(api, name, instead)
    monkeypatch.setattr(sys, "argv", ["nixpy", *arguments])
    monkeypatch.chdir(place / "demo")
    with pytest.raises(CalledError):
        program.run()


def test_nothing_is_printed(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The functions leave printing to the program that calls them."""
    (wheel,) = (place / "dist").iterdir()
    capsys.readouterr()
    project = api.read_project("demo")
    api.plan(project, "fhs", offline=True)
    api.check(project)
    api.scan(wheel)
    assert tuple(capsys.readouterr()) == ("", "")
