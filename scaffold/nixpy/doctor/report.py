"""Format the report as rows of text and as JSON."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from nixpy.diagnostics.diagnostic import counted, shorten
from nixpy.doctor.examine import Report
from nixpy.doctor.facts import Facts, Program
from nixpy.project.managers import FOLDER
from nixpy.styles import styles


def rows(facts: Facts) -> list[tuple[str, str]]:
    """Return the observed facts, one row for each."""
    return [
        ("host", _host(facts)),
        ("python", _program(facts.pythons[0].program) if facts.pythons else "none on PATH"),
        ("venv", _venv(facts)),
        ("shell", _shell(facts)),
        *([("optional", optional)] if (optional := _optional(facts)) else []),
    ]


def _host(facts: Facts) -> str:
    host = facts.host
    if host is None:
        return "unknown"
    name = f"{host.system}, {'NixOS' if host.nixos else 'not NixOS'}"
    if host.loader is None:
        return name
    at = {"stub": "NixOS's stub", "none": "nothing", "nix-ld": "nix-ld", "a loader": "a loader"}[host.at_loader]
    return f"{name}, {at} at {host.loader}"


def _program(program: Program) -> str:
    words = str(program.path)
    if program.file != program.path:
        words += f" -> {program.file}"
    if not program.exists:
        return f"{words}, which does not exist"
    if program.wraps:
        words += f", a wrapper of {program.wraps}"
    return f"{words}, loader {program.loader}" if program.loader else words


def _venv(facts: Facts) -> str:
    if facts.venv is None:
        return f"{facts.venv_folder}: {facts.unread.get('venv', 'none')}"
    started = facts.started
    if started is None:
        return f"{_program(facts.venv.python)}, does not start"
    told = f"Python {started.version}, loader {started.loader}, prefix {started.base_prefix}"
    return f"{_program(replace(facts.venv.python, loader=None))}, {told}"


def _shell(facts: Facts) -> str:
    if facts.in_root:
        return f"the root of style {styles.names(lambda style: style.venv_in_root)}"
    if facts.shell is None:
        return "not in a Nix shell"
    style = facts.project.style if facts.project else None
    if _is_ours(facts):
        return f"nixpy's, style {style}" if style else "nixpy's"
    return "a Nix shell"


def _is_ours(facts: Facts) -> bool:
    # With style patched-venv the interpreter is that of nixpkgs, and the hook reports it.
    return facts.shell is not None and (facts.shell.program.ours or "NIXPY_PATCH" in facts.environ)


def _optional(facts: Facts) -> str:
    missing = sorted({(one.soname, one.wheel) for one in facts.unfound if one.optional})
    return (
        "not found, but not required: " + shorten([f"{soname} ({wheel})" for soname, wheel in missing])
        if missing
        else ""
    )


def looked_at(facts: Facts) -> dict[str, Any]:
    """Return what doctor looked at, as JSON data.

    A fact that could not be read is null or false.
    """
    read = facts.unread
    return {
        "variables": True,
        "pythons": None if "pythons" in read else len(facts.pythons),
        "packages": len(facts.venv.packages) if facts.venv else None,
        "elf_files": facts.elf_files if facts.venv and "wheels" not in read else None,
        "interpreter": facts.started is not None and "started" not in read,
        "source": facts.project.source if facts.project else None,
        "nixpy_files": facts.project is not None and facts.project.uses_nixpy and "fresh" not in read,
        "git": facts.git is not None,
        "left_out": left_out(facts),
    }


def left_out(facts: Facts) -> list[str]:
    """Return what the project uses here and no check looks at, in words."""
    venv, project = facts.venv, facts.project
    found = []
    if venv and venv.system_packages:
        found.append("the files of packages that the environment imports from the system")
    if project and project.folder not in {"", FOLDER}:
        found.append(f"the packages in {project.folder}, which another tool installs")
    return found


def looked_at_text(facts: Facts) -> str:
    """Return what doctor looked at, as a list in words."""
    seen = looked_at(facts)
    words = [
        *([counted(seen["packages"], "package")] if seen["packages"] is not None else []),
        *([counted(seen["elf_files"], "ELF file")] if seen["elf_files"] else []),
        *(["the interpreter"] if seen["interpreter"] else []),
        *([seen["source"]] if seen["source"] else []),
        *(["the files of nixpy"] if seen["nixpy_files"] else []),
        *(["git"] if seen["git"] else []),
        *([f"{counted(seen['pythons'], 'Python')} on PATH"] if seen["pythons"] is not None else []),
        "the variables",
    ]
    return ", ".join(words)


def not_looked_at(report: Report) -> list[str]:
    """Return what was not looked at, and by reason the checks that could not run."""
    checks: dict[str, list[str]] = {}
    for skipped in report.skipped:
        checks.setdefault(skipped.reason, []).append(skipped.check)
    return [*left_out(report.facts), *(f"{', '.join(names)}: {reason}" for reason, names in checks.items())]


def summary(report: Report, checks: int) -> str:
    """Return the last line: how many diagnostics of how many checks.

    It does not claim anything about what was not looked at.
    """
    notes = sum(diagnostic.level == "note" for diagnostic in report.diagnostics)
    number = len(report.diagnostics) - notes
    found = counted(number, "diagnostic") if number else "no diagnostic"
    ran = counted(checks, "check")
    if report.skipped:
        ran = f"{checks - len(report.skipped)} of {ran}"
    narrower = "" if number or not not_looked_at(report) else " in what was looked at,"
    return f"{found} found{narrower} by {ran}" + (f", and {counted(notes, 'note')}" if notes else "")


def as_json(report: Report) -> dict[str, Any]:
    """Return the report as JSON data, without the format number.

    `schemas/doctor.json` describes it.
    """
    facts = report.facts
    host, venv, started = facts.host, facts.venv, facts.started
    return {
        "facts": {
            "host": host
            and {
                "system": host.system,
                "nixos": host.nixos,
                "loader": _text(host.loader),
                "at_loader": host.at_loader,
                "driver": host.driver,
            },
            "pythons": [_program_data(one.program) for one in facts.pythons],
            "venv": venv
            and {
                "folder": str(venv.folder),
                "python": _program_data(venv.python),
                "versions": list(venv.versions),
                "packages": sorted(venv.packages),
                "programs": [
                    {"wheel": one.wheel, "path": str(one.path), "loader": str(one.loader)} for one in venv.programs
                ],
            },
            "started": started
            and {
                "version": started.version,
                "base_prefix": str(started.base_prefix),
                "loader": _text(started.loader),
                "search": None if started.search is None else [str(folder) for folder in started.search],
            },
            "shell": {"nix": facts.shell is not None, "nixpy": _is_ours(facts)},
            "project": facts.project and {"source": facts.project.source, "style": facts.project.style},
            "unfound": [
                {
                    "soname": one.soname,
                    "wheel": one.wheel,
                    "files": list(one.files),
                    "optional": one.optional,
                    "opened": one.opened or None,
                    "provider": supplier.provider if supplier else None,
                    "expression": supplier.expression if supplier else None,
                    "rendered": one.soname in facts.rendered,
                }
                for one in facts.unfound
                for supplier in (facts.suppliers.get(one.soname),)
            ],
        },
        "findings": [
            {
                "code": diagnostic.code,
                "message": diagnostic.message,
                "command": diagnostic.command,
                "packages": list(diagnostic.packages),
                "level": diagnostic.level,
            }
            for diagnostic in report.diagnostics
        ],
        "looked_at": looked_at(facts),
        "not_checked": [
            {"check": skipped.check, "reason": skipped.reason, "essential": skipped.essential}
            for skipped in report.skipped
        ],
    }


def _program_data(program: Program) -> dict[str, Any]:
    return {
        "path": str(program.path),
        "file": str(program.file),
        "exists": program.exists,
        "wraps": _text(program.wraps),
        "loader": _text(program.loader),
    }


def _text(path: object) -> str | None:
    return None if path is None else str(path)
