"""`nixpy scan`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import click

import nixpy
from nixpy.analysis.nixpylock import Wheel
from nixpy.cli.common import (
    build_options,
    format_option,
    nixpkgs_option,
    offline_option,
    print_diagnostics,
    print_json,
    progress,
    python_option,
    rescan_option,
    system_option,
    with_builds,
)
from nixpy.cli.layout import table, tell
from nixpy.cli.left_out import print_left_out, supplier
from nixpy.cli.output import SETTINGS, echo
from nixpy.commands.scan import Scan, as_json
from nixpy.diagnostics.diagnostic import counted, shorten
from nixpy.libraries.catalogue import catalogue
from nixpy.libraries.match import Library, left_out

_LINKS_TO_NONE = "links to no library outside glibc and its own files; "
_OPENS_NONE = "opens none that nixpy could see"
_LEFT_OUT = "those that it may open are left out"


@click.command("scan")
@click.argument("targets", nargs=-1, metavar="[TARGET]...")
@click.option("--no-deps", is_flag=True, help="Analyse only the named packages, and not what they require.")
@python_option
@system_option
@nixpkgs_option
@offline_option
@rescan_option
@build_options
@format_option
def command(
    targets: tuple[str, ...],
    no_deps: bool,
    python: str | None,
    systems: tuple[str, ...],
    nixpkgs: str | None,
    offline: bool,
    rescan: bool,
    allow_build: bool,
    allowed: tuple[str, ...],
    form: str,
) -> None:
    """Show which libraries wheels need, and what supplies them. Writes nothing.

    TARGET is a project folder (this one by default), a lock or requirements file, a .venv, wheel files, or requirements
    such as numpy==2.5.5.
    """

    def scan(allow_build: bool | Sequence[str]) -> Scan:
        with progress() as bar:
            return nixpy.scan(
                targets or ".",
                python=python,
                systems=systems,
                nixpkgs=nixpkgs,
                dependencies=not no_deps,
                offline=offline,
                rescan=rescan,
                allow_build=allow_build,
                progress=bar,
            )

    result = with_builds(scan, allow_build=allow_build, allowed=allowed, form=form)
    if form == "json":
        print_json(as_json(result))
        return
    tell(", ".join(result.systems), lead=f"Python {result.python} on ")
    for line in _lines(result):
        echo(line)
    print_left_out(left_out(result.libraries))
    print_diagnostics(result.diagnostics)


def _lines(scan: Scan) -> Iterator[str]:
    """Yield one line for each wheel and soname.

    It names the systems only if they differ.
    """
    answers = {(system, item.soname): item for item in scan.libraries for system in item.systems}
    opened = {
        (system, name): [item for item in scan.libraries if system in item.systems and item.opened_by(name)]
        for system, name in {(wheel.system, wheel.name) for wheel in scan.wheels}
    }
    rows: dict[tuple[str, str, str], set[str]] = {}
    where: dict[str, set[str]] = {}
    for wheel in scan.wheels:
        label = f"{wheel.name} {wheel.version}"
        where.setdefault(label, set()).add(wheel.system)
        for name, words in _needs(wheel, answers, opened[wheel.system, wheel.name]):
            rows.setdefault((label, name, words), set()).add(wheel.system)
    asking = {label for label, _, _ in rows}
    left = {f"{wheel.name} {wheel.version}" for wheel in scan.wheels if opened[wheel.system, wheel.name]}
    without = sorted(where.keys() - asking - left)
    many = len(without) > 1 and not SETTINGS.verbose  # most packages of a project, in one line
    rows |= {(label, "", _LINKS_TO_NONE + _LEFT_OUT): where[label] for label in left - asking}
    if not many:
        rows |= {(label, "", _LINKS_TO_NONE + _OPENS_NONE): where[label] for label in without}
    last, shown = "", []
    for (label, name, words), systems in sorted(rows.items()):
        linux = {system for system in where[label] if not system.endswith("-darwin")}
        note = "" if systems in (where[label], linux) else f" on {', '.join(sorted(systems))}"
        shown.append(("" if label == last else label, name, words + note))
        last = label
    yield from table(shown)
    if many:
        none = "link to no library outside glibc and their own files; open none that nixpy could see"
        yield f"  {counted(len(without), 'package')} {none}: {shorten(without)}"


def _needs(
    wheel: Wheel, answers: Mapping[tuple[str, str], Library], opened: Sequence[Library]
) -> Iterator[tuple[str, str]]:
    """Yield each soname and program of a wheel, with words about it.

    Libraries that the wheel opens are among them unless they are left out. Files that link to libraries are named
    with `-v`.
    """
    needs = wheel.needs
    linked = dict(needs.sonames)
    if wheel.guessed:
        yield "(not opened)", "every library that its platform tag allows"
    else:
        for soname, path in linked.items():
            library = answers.get((wheel.system, soname))
            is_spared = soname in needs.optional or (soname in needs.likely and library and library.optional)
            words = _supplier(library, optional=bool(is_spared))
            yield soname, f"{words}{_note(soname)}, linked by {path}" if SETTINGS.verbose else words
    for library in opened:
        if library.soname not in linked and (library.wanted or library.provider == "sibling-wheel"):
            first = next(one for one in library.evidence if one.opened and one.package == wheel.name)
            place = f" by {first.place}" if first.place else ""
            yield library.soname, f"{supplier(library)}, opened{place}"
    if len(needs.executables) > 1 and not SETTINGS.verbose:
        names = shorten([path.rsplit("/", 1)[-1] for path in needs.executables])
        yield f"{len(needs.executables)} programs", f"need the loader in /lib64 or /lib: {names}"
    else:
        for path in needs.executables:
            yield path.rsplit("/", 1)[-1], "a program, which needs the loader in /lib64 or /lib"
    for path in needs.unreadable:
        yield path.rsplit("/", 1)[-1], "an ELF file that nixpy cannot read"


def _supplier(library: Library | None, *, optional: bool) -> str:
    if library is None:
        return "ignored"
    return f"{supplier(library)} (optional)" if optional else supplier(library)


def _note(soname: str) -> str:
    """Return the note of the catalogue about a library of nixpkgs, in brackets."""
    entry = catalogue().find(soname)
    return f" ({entry.note})" if entry and entry.provider == "nixpkgs" and entry.note else ""
