"""Compare nixpy's answers to 60 requirement sets with those of uv and pip, and record all of them.

    python -m sets.compare [SET…]

The sets are in `sets.csv`, `DATE` in `model.py` is the date of the index that all tools see. The tools read metadata
from the default index. uv and pip build packages without a wheel, which runs code of these packages; they find no
compiler, so that a build that compiles fails at once.
It needs the Pythons of the sets on PATH, or where uv finds them, and a pip that knows `--uploaded-prior-to`.

`answers.jsonl` gets the answers, `results.csv` the comparison. `candidates.jsonl` gets the versions, tags and
requirements that the tools saw, with which `test_sets.py` repeats nixpy's part without a network. Exit status 1: an
answer of nixpy differs.
"""

from __future__ import annotations

import argparse
import csv
import importlib
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from packaging.utils import canonicalize_name, parse_sdist_filename, parse_wheel_filename
from packaging.version import Version
from uv import find_uv_bin

from nixpy.sdists.metadata import read_metadata, read_pyproject
from sets import index, model
from sets.model import Answer, RequirementSet

HOME = Path(__file__).parents[2] / ".sets"
"""What the tools wrote, by set, and their caches; a set with answers there is not compared again."""

PATIENCE = 200
"""Seconds that a tool may take; a build that takes longer counts as failed."""

_LINK = re.compile(r"https?://\S+/(?P<file>[^/\s]+) \(from \S+\)(?: \(requires-python:(?P<python>[^)]*)\))?")
msgpack: Any = importlib.import_module("pip._vendor.msgpack")  # the format of the cache of uv

_UNSOLVED = "No solution found|ResolutionImpossible|No matching distribution"
_SYSTEMS = ("^any$", r"linux.*x86_64", r"linux.*aarch64", r"macosx.*(?:arm64|universal2)", "win_amd64")
_NEWER = 2
"""The versions that a package has beside those that a tool read: so many newer ones, and one after the date."""


def main() -> int:
    """Compare the sets that `.sets` has no answers to, and write the three files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="SET", help="compare these only, and record nothing")
    names = parser.parse_args().names
    for name in [name for name in os.environ if name.startswith(("PIP_FIND", "UV_", "PYTHON"))]:
        del os.environ[name]
    os.environ |= {"PIP_CONFIG_FILE": os.devnull, "UV_EXCLUDE_NEWER": model.DATE, "UV_PYTHON_DOWNLOADS": "never"}
    requirement_sets = [one for one in model.sets() if not names or one.name in names]
    answers = {}
    for one in requirement_sets:
        started = time.monotonic()
        answers[one.name] = compare(one)
        print(f"{one.name:20} {time.monotonic() - started:5.0f} s  {model.judge(**answers[one.name])}", flush=True)
    if not names:
        model.save(answers)
        write(candidates())
        return report(answers)
    return 0


def report(answers: Mapping[str, Mapping[str, Answer]]) -> int:
    """Write `results.csv`, print how many answers are equal, and return the exit status."""
    results = {one.name: model.judge(**answers[one.name]) for one in model.sets() if one.name in answers}
    with model.RESULTS.open("w", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(("set", "packages", "result"))
        rows.writerows((name, len(answers[name]["nixpy"].packages), result) for name, result in results.items())
    for kind, count in Counter(re.split("[:;]", result)[0] for result in results.values()).items():
        print(f"{count} {kind}")
    return any(result.startswith("different") for result in results.values())


def compare(requirements: RequirementSet) -> dict[str, Answer]:
    """Return the answers of the three tools, which stay in a folder of `.sets`."""
    folder = HOME / requirements.name
    kept = folder / "answers.jsonl"
    if kept.is_file():
        return model.load(kept)[requirements.name]
    folder.mkdir(parents=True, exist_ok=True)
    requirements.write(folder)
    find = [find_uv_bin(), "python", "find", "--no-project", requirements.python]
    python = subprocess.run(find, capture_output=True, text=True, check=True).stdout.strip()
    version = subprocess.run([python, "-V"], capture_output=True, text=True, check=True).stdout.split()[1]
    with ThreadPoolExecutor() as pool:
        pip = pool.submit(by_pip, python, folder)
        uv = by_uv(python, folder)
        # What uv built is in its cache, and nixpy must not find it there.
        os.environ["UV_CACHE_DIR"] = str(HOME / "nixpy-cache")
        nixpy, lock = model.by_nixpy(requirements, version, folder)
        (folder / "pylock.nixpy.toml").write_text(lock)
        found = {"nixpy": nixpy, "uv": uv, "pip": pip.result()}
    model.save({requirements.name: found}, kept)
    return found


def run(command: list[str], folder: Path) -> str | None:
    """Run a tool in a folder, and return the kind of its error, or None. It and its builds end in time."""
    environment = os.environ | {"UV_CACHE_DIR": str(HOME / "uv-cache"), "CC": "false", "CXX": "false"}
    errors = folder / f"{Path(command[0]).name}.errors"
    with (
        errors.open("w") as output,
        subprocess.Popen(
            command, cwd=folder, env=environment, stdout=output, stderr=output, start_new_session=True
        ) as process,
    ):
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            return model.TIME
    if process.returncode == 0:
        return None
    return model.NO_SOLUTION if re.search(_UNSOLVED, errors.read_text(errors="replace")) else model.BUILD


def by_uv(python: str, folder: Path) -> Answer:
    """Return the answer of `uv pip compile`."""
    command = [find_uv_bin(), "pip", "compile", "requirements.txt", "--no-config", "--python", python]
    if error := run([*command, "--format", "pylock.toml", "--output-file", "pylock.toml", "--quiet"], folder):
        return Answer(error=error)
    packages = tomllib.loads((folder / "pylock.toml").read_text())["packages"]
    sdists = {package["name"] for package in packages if not package.get("wheels")}
    return model.answer({package["name"]: package["version"] for package in packages}, sdists)


def by_pip(python: str, folder: Path) -> Answer:
    """Return the answer of `pip install --dry-run`. Its log names the files of each package."""
    command = [sys.executable, "-m", "pip", "--python", python, "install", "--dry-run", "--ignore-installed"]
    command += ["--uploaded-prior-to", model.DATE, "--report", "report.json", "--no-input", "--no-cache-dir"]
    # With this feature pip reads the metadata of a wheel, and not the whole file.
    command += ["--use-feature", "fast-deps", "--log", "pip.log", "-r", "requirements.txt"]
    if error := run(command, folder):
        return Answer(error=error)
    items = json.loads((folder / "report.json").read_text())["install"]
    found = {str(canonicalize_name(one["metadata"]["name"])): one for one in items}
    sdists = {name for name, one in found.items() if not one["download_info"]["url"].endswith(".whl")}
    return model.answer({name: one["metadata"]["version"] for name, one in found.items()}, sdists)


def links() -> Iterator[tuple[str, str | None, bool]]:
    """Yield each file that the tools saw, the Pythons that it is for, and whether it is newer than the date."""
    for path in sorted(HOME.glob("*/pip.log")):
        for line in path.read_text(errors="replace").splitlines():
            if link := _LINK.search(line):
                yield link["file"], link["python"], "not prior to" in line
    for path in sorted(HOME.glob("*/pylock*.toml")):
        for package in tomllib.loads(path.read_text()).get("packages", ()):
            for one in (*package.get("wheels", ()), *([package["sdist"]] if "sdist" in package else ())):
                yield one["url"].rpartition("/")[2], None, False


def candidates() -> dict[str, index.Versions]:
    """Return the versions that a resolver must see to come to the same answers, with what they require."""
    read = metadata()
    pythons = {"cp" + one.python.replace(".", "") for one in model.sets()}
    found: dict[str, index.Versions] = {name: {} for name, _ in read}
    tags: dict[tuple[str, str], set[str]] = {}
    for file, python, too_new in links():
        if (named := _named(file)) is None or named[0] not in found:
            continue
        name, version, tag = named
        one = found[name].setdefault(version, {})
        if python:
            one["python"] = python.strip()
        if too_new:
            one["after"] = True
        if tag:
            tags.setdefault((name, version), set()).add(tag)
        else:
            one["sdist"] = "static"
    for path in HOME.glob("*-cache/wheels-*/pypi/*/*.msgpack"):
        version, _, tag = path.stem.partition("-")
        if tag.count("-") == 2:  # uv shortens long tags
            tags.setdefault((path.parent.name, version), set()).add(tag)
    for (name, version), all_tags in tags.items():
        found[name].setdefault(version, {})["wheels"] = list(_few(sorted(all_tags), pythons))
    for (name, version), facts in read.items():
        found[name].setdefault(version, {}).update(facts)
    return _without_withdrawn(
        {
            name: _relevant(versions, {version for one, version in read if one == name})
            for name, versions in found.items()
        }
    )


def metadata() -> dict[tuple[str, str], dict[str, Any]]:
    """Return what nixpy's and uv's caches have of packages, by name and version."""
    found = {}
    for cache in (HOME / "uv-cache", HOME / "nixpy-cache"):
        for path in [*cache.glob("wheels-*/pypi/*/*.msgpack"), *cache.glob("sdists-*/**/metadata.msgpack")]:
            with path.open("rb") as file:
                name, version, requires, python, extras, _ = next(msgpack.Unpacker(file))
            facts = {"requires": requires, "extras": extras, "python": python}
            if path.name == "metadata.msgpack":  # uv keeps this file of an sdist only if it was built
                facts["sdist"] = "dynamic"
            found[name, version] = {name: value for name, value in facts.items() if value or name == "requires"}
    # The other sdists were read; those that nothing built, and that have no static metadata, failed.
    for source in (HOME / "nixpy-cache").glob("sdists-*/pypi/*/*/*/src"):
        name, version = source.parts[-4:-2]
        static = _static(source)
        if static or (name, version) not in found:
            found.setdefault((name, version), {}).update(static or {"sdist": "dynamic"})
    return found


def _static(source: Path) -> dict[str, Any] | None:
    """Return the requirements and extras in the static metadata of an unpacked sdist, or None."""
    information, project = source / "PKG-INFO", source / "pyproject.toml"
    if information.is_file() and (core := read_metadata(information.read_bytes(), "PKG-INFO", wheel=False)).complete:
        return {"requires": list(map(str, core.requires)), "extras": list(core.extras)}
    table = read_pyproject(project.read_bytes(), "pyproject.toml") if project.is_file() else None
    if table and table.requires is not None:
        return {"requires": list(map(str, table.requires)), "extras": list(table.extras)}
    return None


def _named(file: str) -> tuple[str, str, str | None] | None:
    """Return the name, the version and the tag of a file; an sdist has no tag."""
    file = unquote(file)
    try:
        if file.endswith(".whl"):
            name, version, build, _ = parse_wheel_filename(file)
            return (name, str(version), "-".join(file.removesuffix(".whl").split("-")[2 + bool(build) :]))
        if file.endswith((".tar.gz", ".zip")):
            name, version = parse_sdist_filename(file)
            return name, str(version), None
    except ValueError:
        pass
    return None


def _few(tags: Iterable[str], pythons: set[str]) -> Iterator[str]:
    """Yield one tag for each Python and kind of system, and one for the other Pythons."""
    seen = set()
    for tag in tags:
        python, abi, platform = tag.split("-")
        system = next((one for one in _SYSTEMS if re.search(one, platform)), None)
        if system is None or abi.endswith("t") or python.startswith("pp"):
            continue
        known = python in pythons or "py3" in python or "abi3" in abi
        key = (python if known else "", system)
        if key not in seen:
            seen.add(key)
            yield tag


def _relevant(versions: index.Versions, read: set[str]) -> index.Versions:
    """Return the versions that a tool read, some newer ones, and one after the date."""
    kept = {version for version in versions if version in read}
    oldest = min(map(Version, kept), default=Version("0"))
    newest = sorted((version for version in versions if Version(version) > oldest), key=Version)
    kept |= {*[version for version in newest if not versions[version].get("after")][-_NEWER:]}
    kept |= {*[version for version in newest if versions[version].get("after")][-1:]}
    return {version: versions[version] for version in sorted(kept, key=Version)}


def _without_withdrawn(candidates: dict[str, index.Versions]) -> dict[str, index.Versions]:
    """Return the candidates without versions that no tool read on the real index, but nixpy reads here.

    The tools do not say which files were withdrawn.
    """
    while True:
        with index.RecordedIndex(candidates) as running, tempfile.TemporaryDirectory() as folder:
            os.environ |= {"UV_CACHE_DIR": f"{folder}/cache", "UV_DEFAULT_INDEX": running.url}
            for requirements in model.sets():
                place = Path(folder, requirements.name)
                place.mkdir()
                model.by_nixpy(requirements, f"{requirements.python}.0", place)
            if not running.unknown:
                return candidates
        for name, version in running.unknown:
            print("withdrawn", name, version)
            del candidates[name][version]


def write(candidates: Mapping[str, index.Versions]) -> None:
    """Write the candidates, one package a line."""
    rows = ({"name": name, "versions": versions} for name, versions in sorted(candidates.items()))
    model.CANDIDATES.write_text("".join(json.dumps(row, separators=(",", ":")) + "\n" for row in rows))


if __name__ == "__main__":
    sys.exit(main())
