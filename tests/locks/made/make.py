"""Makes what lies beside it: locks by the real tools, and what these install from them.

    python tests/locks/made/make.py FOLDER

FOLDER holds a virtual environment for each of `TOOLS`, with that tool in it, and one called pipenv. Everything comes
from a small index of our own on loopback, whose address is replaced by one that cannot exist.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

from packaging.utils import canonicalize_name

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parents[1]), str(HERE.parents[1] / "helpers")]

from lockdamage import changed, document_of  # noqa: E402
from smallindex import SmallIndex, build_wheel  # noqa: E402

NOWHERE = "https://index.example"
# Name of the environment to what is written with it.
TOOLS = {
    "poetry": ("poetry", "poetry-project"),
    "poetry-1.8": ("poetry-2.0",),
    "poetry-1.1": ("poetry-1.1",),
    "pdm": ("pdm", "pdm-urls", "pdm-graph"),
    "pdm-2.12": ("pdm-4.4",),
    "pdm-2.4": ("pdm-4.1",),
    "pdm-1.15": ("pdm-3.1",),
}
# For each tool, the words of a choice, as an argument and as (extras, groups) of ours.
CHOICES: dict[str, dict[str, tuple[list[str], list[str] | None]]] = {
    "poetry": {
        "": ([], None),
        "--extras=fast": (["fast"], None),
        "--only=main": ([], []),
        "--only=main,docs": ([], ["docs"]),
    },
    "poetry-1.1": {"": ([], None), "--extras=fast": (["fast"], None), "--no-dev": ([], [])},
    "pdm": {"": ([], None), "--group=fast": (["fast"], None), "--prod": ([], []), "--group=docs": ([], ["docs"])},
}
TAGS = (
    "cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64",
    "cp313-cp313-manylinux_2_17_x86_64.manylinux2014_x86_64",
    "cp313-cp313-manylinux_2_17_aarch64.manylinux2014_aarch64",
    "cp313-cp313-macosx_11_0_arm64",
)

STANDARD = """\
[project]
name = "root"
version = "0.1.0"
requires-python = ">=3.11,<4"
dependencies = ["binary", "Mixed.Name>=1 ; sys_platform == 'linux'"]

[project.optional-dependencies]
fast = ["fast-one", "nested[deeper]"]

[dependency-groups]
dev = ["tool>=1"]
docs = ["docs-one ; python_version >= '3.12'", { include-group = "lint" }]
lint = ["linter"]
"""
OWN = """\
[tool.poetry]
name = "root"
version = "0.1.0"
description = ""
authors = []

[tool.poetry.dependencies]
python = ">=3.11,<4"
binary = "*"
"Mixed.Name" = { version = ">=1", markers = "sys_platform == 'linux'" }
fast-one = { version = "*", optional = true }
nested = { version = "*", extras = ["deeper"], optional = true }
forked = [
    { version = "^1.0", python = "<3.12" },
    { version = "~2.0", python = ">=3.12" },
]

[tool.poetry.extras]
fast = ["fast-one", "nested"]
"""
OWN_GROUPS = """
[tool.poetry.group.dev.dependencies]
tool = "^1.0"

[tool.poetry.group.docs]
optional = true

[tool.poetry.group.docs.dependencies]
docs-one = { version = "*", python = ">=3.12" }
linter = "*"
"""
OWN_DEV = """
[tool.poetry.dev-dependencies]
tool = "^1.0"
"""
OLD_GROUPS = """
[tool.pdm.dev-dependencies]
dev = ["tool>=1"]
docs = ["docs-one ; python_version >= '3.12'", "linter"]
"""
NO_PACKAGE = "\n[tool.poetry]\npackage-mode = false\n"
PROJECTS = {
    "poetry": OWN + OWN_GROUPS,
    "poetry-project": STANDARD + NO_PACKAGE,
    "poetry-2.0": OWN + OWN_GROUPS,
    "poetry-1.1": OWN + OWN_DEV,
    "pdm": STANDARD,
    "pdm-urls": STANDARD,
    "pdm-graph": STANDARD,
    **dict.fromkeys(("pdm-4.4", "pdm-4.1", "pdm-3.1"), STANDARD.partition("\n[dependency-groups]")[0] + OLD_GROUPS),
}
PIPFILE = """\
[[source]]
url = "{url}"
verify_ssl = false
name = "house"

[packages]
binary = "*"
"mixed.name" = {{ version = ">=1", markers = "sys_platform == 'linux'" }}
nested = {{ version = "*", extras = ["deep"] }}

[dev-packages]
tool = ">=1"
"""
LOCK_OPTIONS = {
    "pdm": ["--group=:all"],
    "pdm-urls": ["--group=:all", "--strategy=static_urls"],
    "pdm-graph": ["--group=:all", "--strategy=no_inherit_metadata"],
    "pdm-4.4": ["--group=:all"],
}
SOURCE = '\n[[tool.{tool}.source]]\nname = "{name}"\nurl = "{url}"\n'


def stock(folder: Path) -> None:
    """Write the packages that the projects ask for."""
    for tag in TAGS:
        build_wheel(folder, "binary", "1.0", tag, requires=["helper", "nested[deep]>=1; python_version >= '3.12'"])
    build_wheel(
        folder,
        "helper",
        "1.0",
        requires=[
            "only-linux; sys_platform == 'linux'",
            "only-mac; platform_system == 'Darwin'",
            "backport; python_version < '3.12'",
        ],
    )
    requires = ["leaf; extra == 'deep'", "bottom; extra == 'deeper'"]
    build_wheel(folder, "nested", "1.0", requires=requires, extras=["deep", "deeper"])
    for name in ("leaf", "bottom", "only-linux", "only-mac", "backport", "tool", "linter", "fast-one", "docs-one"):
        build_wheel(folder, name, "1.0")
    for version in ("1.0", "1.5", "2.0", "2.1"):
        build_wheel(folder, "forked", version, requires=["leaf"] if version == "1.5" else [])
    build_wheel(folder, "mixed-name", "1.0")


def variables(home: Path) -> dict[str, str]:
    """Return the environment in which the tools run."""
    return {
        "HOME": str(home),
        "PATH": os.environ["PATH"],
        "LANG": "C.UTF-8",
        "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
        "POETRY_VIRTUALENVS_IN_PROJECT": "true",
        "PDM_CHECK_UPDATE": "0",
        "PIPENV_VENV_IN_PROJECT": "1",
        "PIPENV_NOSPIN": "1",
        "PIP_CONFIG_FILE": "/dev/null",
    }


def run(home: Path, folder: Path, *command: str | Path) -> str:
    """What a tool prints."""
    done = subprocess.run(command, cwd=folder, env=variables(home), capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{command}\n{done.stdout}\n{done.stderr}")
    return done.stdout + done.stderr


def make(tools: Path, environment: str, name: str, index: SmallIndex, home: Path) -> None:
    """Write one project with its lock, and what the tool would install."""
    tool = environment.partition("-")[0]
    program = tools / environment / "bin" / tool
    folder = HERE / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    source = SOURCE.format(tool=tool, name="pypi" if tool == "pdm" else "house", url=index.url)
    default = "default = true\n" if environment == "poetry-1.1" else ""
    (folder / "pyproject.toml").write_text(PROJECTS[name] + source + default)
    run(home, folder, sys.executable, "-m", "venv", ".venv")
    run(home, folder, program, "lock", *(["-n"] if tool == "poetry" else LOCK_OPTIONS.get(name, [])))
    (folder / ".pdm.toml").unlink(missing_ok=True)
    judge = program if tool == "poetry" else tools / "pdm" / "bin" / "pdm"  # today's PDM reads older locks
    installs = {}
    for words, choice in CHOICES.get(environment, CHOICES[tool]).items():
        command = "install" if tool == "poetry" else "sync"
        options = ["-n", "--no-root"] if tool == "poetry" else ["--no-self"]
        printed = run(home, folder, judge, command, "--dry-run", *options, *words.split())
        installs[words] = {"choice": choice, "installs": sorted(set(_installed(printed)))}
    (folder / "installs.json").write_text(json.dumps(installs, indent=1) + "\n")
    shutil.rmtree(folder / ".venv")
    for extra in (".pdm-python", ".gitignore"):
        (folder / extra).unlink(missing_ok=True)
    address = index.url.removesuffix("/simple/")
    for file in folder.iterdir():
        file.write_text(file.read_text().replace(address, NOWHERE))
    _rehash(folder, program, environment, home)


def make_pipfile(program: Path, index: SmallIndex, home: Path) -> None:
    """Write a Pipfile with its lock."""
    folder = HERE / "pipenv"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    (folder / "Pipfile").write_text(PIPFILE.format(url=index.url))
    run(home, folder, program, "lock")
    shutil.rmtree(folder / ".venv")
    for file in folder.iterdir():
        file.write_text(file.read_text().replace(index.url.removesuffix("/simple/"), NOWHERE))


def _installed(printed: str) -> list[str]:
    """Return `name==version` of each package that is not skipped, from the words of Poetry and of PDM."""
    lines = (re.sub(r"\x1b\[[\d;]*m", "", line) for line in printed.splitlines() if "Skipped" not in line)
    found = (re.search(r"(?:Installing|^  -) ([\w.-]+) \(?([\d.]+)\)?", line) for line in lines)
    return [f"{canonicalize_name(match[1])}=={match[2]}" for match in found if match]


# What each tool's own code says is the hash of the pyproject.toml that lies here.
_LOCKER = "from poetry.packages.locker import Locker; "
_HASH = {
    "poetry": _LOCKER + "print(Locker(Path('.'), data)._content_hash)",
    "poetry-1": _LOCKER + "print(Locker(Path('.'), data['tool']['poetry'])._content_hash)",
    "pdm-1": "from pdm.core import Core; print('sha256:' + Core().create_project('.').get_content_hash('sha256'))",
    "pdm": "from pdm.core import Core; print('sha256:' + Core().create_project('.').pyproject.content_hash('sha256'))",
}


def _rehash(folder: Path, program: Path, environment: str, home: Path) -> None:
    """Let the lock be of the pyproject.toml with the other address."""
    code = next(code for name, code in sorted(_HASH.items(), reverse=True) if environment.startswith(name))
    load = "import tomllib; from pathlib import Path; data = tomllib.loads(Path('pyproject.toml').read_text()); "
    printed = run(home, folder, program.with_name("python"), "-c", load + code).split()[-1]
    for lock in folder.glob("*.lock"):
        lock.write_text(re.sub(r'(content.hash = )".*"', rf'\1"{printed}"', lock.read_text()))


# What each tool's own code does with a lock: it reads the lock and selects from it, or raises an exception.
_READ = {
    "poetry": (
        "from pathlib import Path; from poetry.factory import Factory; "
        "locker = Factory().create_poetry(Path('.')).locker; "
        "assert locker.is_locked(); locker.is_fresh(); locker.locked_packages()"
    ),
    "pdm": (
        "from pdm.core import Core; from pdm.cli.filters import GroupSelection as Groups; from pdm.cli import actions; "
        "project = Core().create_project('.'); actions.check_lockfile(project); "
        "groups = Groups(project); groups.validate(); "
        "list(actions.resolve_from_lockfile(project, [], groups=list(groups)))"
    ),
}


def judge(tools: Path, home: Path) -> None:
    """Write which of the changed locks the tools refuse."""
    verdicts: dict[str, list[bool]] = {}
    for tool, cases in json.loads((HERE.parent / "refused/cases.json").read_text()).items():
        folder = home / f"refused-{tool}"
        shutil.copytree(HERE / tool, folder)
        verdicts[tool] = []
        for way, value in cases:
            document = tomllib.loads((HERE / tool / f"{tool}.lock").read_text())
            (folder / f"{tool}.lock").write_text(document_of(changed(document, way, value)))
            command = (tools / tool / "bin/python", "-c", _READ[tool])
            done = subprocess.run(command, cwd=folder, env=variables(home), capture_output=True, check=False)
            verdicts[tool].append(done.returncode != 0)
    (HERE.parent / "refused/verdicts.json").write_text(json.dumps(verdicts, indent=1) + "\n")


def main() -> None:
    """Make all."""
    tools = Path(sys.argv[1])
    with tempfile.TemporaryDirectory() as work:
        stock(Path(work) / "stock")
        with SmallIndex(Path(work) / "stock") as index:
            for environment, names in TOOLS.items():
                for name in names:
                    make(tools, environment, name, index, Path(work))
            make_pipfile(tools / "pipenv/bin/pipenv", index, Path(work))
        judge(tools, Path(work))


if __name__ == "__main__":
    main()
