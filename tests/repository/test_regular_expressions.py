"""Every regular expression that the package applies to text of others takes linear time, whatever the text."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
import time
from collections.abc import Iterator
from types import ModuleType

import pytest

import nixpy

_PROGRAMS = ("nixpy.__main__", "nixpy.doctor.ask")  # importing them runs them
# Patterns for files that nobody else writes, with these.
_OWN = {
    "nixpy.doctor.cache:_PATH": "the loader of the machine",
    "nixpy.doctor.interpreter:_INTERPRETER": "an interpreter in the Nix store",
    "nixpy.needs.dlopen:_SONAME": "dlopen.csv of nixpy",
    "nixpy.libraries.match:_SONAME": "names that end at their first wrong character",
    "nixpy.needs.sources.names:_DARWIN": "names of at most 120 characters, after `_FILE`",
    "nixpy.needs.sources.names:_LINUX": "names of at most 120 characters, after `_FILE`",
    "nixpy.styles.styles:_ARGUMENT": "the styles of nixpy",
    "nixpy.styles.styles:_ARGUMENTS": "the styles of nixpy",
    "nixpy.nixpkgs.expression:_EXPRESSION": "the tables of nixpy",
    "nixpy.commands.new:_PUBLISHED": "an address that the user writes",
}

# What an expression may repeat, or begin with; after many of them comes no end, or a wrong one.
RUNS = (
    *" \t\n\r.,;:=!~<>-_/\\|&$#@%+*?()[]{}'\"`^0123afAZx",
    *("a ", " a", "a.", ".a", "1.", "a-", "-a", "a=", "= ", "[a", "a]", "[]", "()", "a,", ", ", "||", " | ", "://"),
    *("a/", "//", "/*", "*/", "${", "$A", "@a", "://a", "://a?", "://a@", ".so", "lib", "-00000000", "-00000000."),
    *("sha256:", "or ", "and ", "extra == ", "extra == 'a", "coding:", "# ", " #", "# x", '"a" ', "'a' ", '"\\"'),
    *("a\n", "\na", " \n", "{\n", "name = ", "./a", ".nix", "packages/", "python3.", "nixpy", "nixpy = {", "https://"),
    *("github:NixOS/nixpkgs/", "/nix/store/", "inputs", "callPackage ", "withPackages ( ", "GLIBC_2", "manylinux_1"),
    *("use flake", "egg=a", "&egg=", ".cpython-3", ' "a" = b', "# nixpy format 1, ", "0.0", ".0", "content-type:"),
)
BEFORE = ("", "a", "#", "[", "://", "a @ ")
AFTER = ("", "\0", "\n.")


def _modules() -> Iterator[ModuleType]:
    for found in pkgutil.walk_packages(nixpy.__path__, "nixpy."):
        if found.name not in _PROGRAMS:
            yield importlib.import_module(found.name)


def _patterns() -> Iterator[tuple[str, re.Pattern[str] | re.Pattern[bytes], str]]:
    """Yield every compiled pattern at the top of a module with its place and the methods that the module calls."""
    for module in _modules():
        for name, value in vars(module).items():
            if isinstance(value, re.Pattern) and f"{module.__name__}:{name}" not in _OWN:
                used = sorted(set(re.findall(rf"\b{name}\.(\w+)\(", inspect.getsource(module))))
                methods = {{"sub": "search", "split": "search", "findall": "search"}.get(one, one) for one in used}
                for method in methods or {"fullmatch"}:
                    yield f"{module.__name__}:{name}", value, method


PATTERNS = sorted(_patterns(), key=lambda found: (found[0], found[2]))


def _seconds(pattern: re.Pattern[str] | re.Pattern[bytes], method: str, text: str) -> float:
    subject = text if isinstance(pattern.pattern, str) else text.encode()
    start = time.thread_time()
    getattr(pattern, method)(subject)
    return time.thread_time() - start


@pytest.mark.slow
@pytest.mark.parametrize(("pattern", "method"), [found[1:] for found in PATTERNS], ids=[f[0] for f in PATTERNS])
def test_linear_time(pattern: re.Pattern[str] | re.Pattern[bytes], method: str) -> None:
    """A run of 2,000 characters takes milliseconds and one of 100,000 less than two seconds of this thread."""
    for run in RUNS:
        for before in BEFORE:
            for after in AFTER:
                text = before + run * (2_000 // len(run)) + after
                # Another process may have had the processor's caches: what is linear is fast in one of three times.
                assert any(_seconds(pattern, method, text) < 0.004 for _ in range(3)), (run, before, after)
        assert _seconds(pattern, method, run * (100_000 // len(run)) + "\0") < 2, run


def test_patterns_are_found() -> None:
    """The patterns of readers of foreign text are among those that are tried."""
    places = {place for place, _, _ in PATTERNS}
    assert {"nixpy.locks.requirement_lines:_NAMED", "nixpy.core.urls:_ADDRESS", "nixpy.core.toml_file:_KEY"} <= places
