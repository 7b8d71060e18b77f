"""Check the libraries that the loader finds and does not find."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from nixpy.core.read_file import exists
from nixpy.diagnostics.diagnostic import Cause, bring_programs, shorten
from nixpy.diagnostics.grouping import ITEMS, PACKAGES
from nixpy.doctor.facts import DRIVER, WSL_DRIVER, Facts, Host, MissingLibrary, folders, in_store
from nixpy.doctor.machine_diagnostic import MachineDiagnostic
from nixpy.doctor.remedies import init
from nixpy.libraries.match import unknown_soname
from nixpy.needs.derive import is_grafted
from nixpy.styles import styles

_TMPFILES = "/etc/tmpfiles.d/wsl-driver.conf"
_LINK = f"L+ {DRIVER} - - - - {WSL_DRIVER}"  # /run is empty after each start (tmpfiles.d(5))
_LINK_DRIVER = f"echo '{_LINK}' | sudo tee {_TMPFILES} && sudo systemd-tmpfiles --create {_TMPFILES}"


def ignored_nix_ld(facts: Facts) -> Iterator[MachineDiagnostic]:
    """Yield NIX404: NIX_LD_LIBRARY_PATH has no effect on the interpreter.

    It has the missing library, but the interpreter does not use nix-ld.
    """
    name = "NIX_LD_LIBRARY_PATH"
    if facts.host and f"{name}_{facts.host.system.replace('-', '_')}" in facts.environ:
        name = f"{name}_{facts.host.system.replace('-', '_')}"
    listed = facts.environ.get(name)
    if not listed or facts.started is None or not in_store(facts.started.loader):
        return
    there = sorted(
        {one.soname for one in _required(facts) if any(exists(Path(folder) / one.soname) for folder in folders(listed))}
    )
    if there:
        yield MachineDiagnostic(
            code="NIX404",
            message=f"{name} contains {shorten(there)}, but the Python of {facts.venv_folder} comes from Nix, and "
            "its loader does not read this variable",
            command=supply(facts, there),
        )


def missing_nix_ld(facts: Facts) -> Iterator[MachineDiagnostic]:
    """Yield NIX407: programs need a loader that the host does not have."""
    venv, host = facts.venv, facts.host
    if not venv or not host or host.loader is None:
        return
    names = sorted({program.wheel for program in venv.programs if program.loader == host.loader})
    if not names:
        return
    if host.at_loader in {"none", "stub"}:
        there = "NixOS's stub, which starts no program" if host.at_loader == "stub" else "nothing"
        project = facts.project
        style = styles.find(project.style) if project and project.style else None
        # Under a style that starts programs by itself, entering the shell is what is missing.
        enter = project.enter if project and style and style.executables and not style.uses_nix_ld else None
        systems = project.systems if project else (host.system,)
        yield MachineDiagnostic(
            code="NIX407",
            message=f"{bring_programs(names)} that need the loader {host.loader}, and this machine has {there} at "
            "this path",
            command=enter or init(facts, styles.command_for_programs(names, systems)),
            packages=tuple(names),
        )
        return
    # nix-ld prefers the variable with the name of the system (src/main.rs of nix-ld).
    variable = next(
        (name for name in (f"NIX_LD_{host.system.replace('-', '_')}", "NIX_LD") if name in facts.environ), ""
    )
    if host.at_loader == "nix-ld" and variable and not Path(facts.environ[variable]).exists():
        project = facts.project
        sets_it = project is not None and project.style is not None and styles.find(project.style).uses_nix_ld
        yield MachineDiagnostic(
            code="NIX407",
            message=f"{variable} is {facts.environ[variable]}, which does not exist, so the programs of "
            f"{shorten(names)} cannot start",
            command=project.enter if project and sets_it and variable == "NIX_LD" else f"unset {variable}",
            packages=tuple(names),
        )


def leaked_search_path(facts: Facts) -> Iterator[MachineDiagnostic]:
    """Yield NIX408: LD_LIBRARY_PATH affects every program that starts here."""
    if not facts.search_path:
        return
    parts = [
        f"{folder} (with {shorten(names)})" if names else folder for folder, names in sorted(facts.search_path.items())
    ]
    harm = any(facts.search_path.values())
    yield MachineDiagnostic(
        code="NIX408",
        message=f"LD_LIBRARY_PATH contains {', '.join(parts)}: every program that you start here looks there first"
        + (", and programs built with other libraries crash" if harm else ""),
        command="unset LD_LIBRARY_PATH",
    )


def unfound_libraries(facts: Facts) -> Iterator[MachineDiagnostic]:
    """Yield NIX409: the loader does not find a library that wheels require."""
    needers: dict[str, list[MissingLibrary]] = defaultdict(list)
    for one in _required(facts):
        needers[one.soname].append(one)
    for soname, missing in sorted(needers.items()):
        names = list(dict.fromkeys(one.wheel for one in missing))
        place = next((f" ({one.opened} opens it)" for one in missing if one.opened), "")
        supplier = facts.suppliers[soname]
        if supplier.provider == "host-driver":
            continue
        command = supply(facts, [soname])
        yield MachineDiagnostic(
            code="NIX409",
            message=f"{soname} is not found; {shorten(names)} {'needs' if len(names) == 1 else 'need'} it{place}, "
            + _who(facts, soname),
            command=command,
            packages=tuple(names),
            cause=Cause(
                item=soname,
                message=f"{ITEMS} are not found; they are needed by {PACKAGES}, {_who_has_them(facts, soname)}",
                hint=command,
            ),
        )


def _required(facts: Facts) -> list[MissingLibrary]:
    """Return the missing libraries that are required, without ignored ones.

    Those that a wheel itself contains are left out, too: NIX418 reports them.
    """
    own = {(package.name, path.name) for package in facts.installed for path, _ in package.damaged}
    return [
        one
        for one in facts.unfound
        if not one.optional
        and one.soname in facts.suppliers
        and not is_grafted(one.soname)
        and (one.wheel, one.soname) not in own
    ]


def _who(facts: Facts, soname: str) -> str:
    supplier = facts.suppliers[soname]
    if supplier.provider == "sibling-wheel":
        return "and the package that contains it is not installed"
    if supplier.expression is None:
        return f"and nixpy does not know which package contains it. {unknown_soname(soname)}"
    if soname in facts.rendered:
        return f"and nixpy.nix supplies it from {supplier.expression}, but not to this Python"
    return f"and {supplier.expression} contains it"


def _who_has_them(facts: Facts, soname: str) -> str:
    """Return the same for several libraries, without their packages."""
    supplier = facts.suppliers[soname]
    if supplier.provider == "sibling-wheel":
        return "and the packages that contain them are not installed"
    if supplier.expression is None:
        return f"and nixpy does not know which packages contain them. {unknown_soname('SONAME')}"
    if soname in facts.rendered:
        return "and nixpy.nix supplies them, but not to this Python"
    return "and nixpkgs has them"


def supply(facts: Facts, sonames: Iterable[str]) -> str:
    """Return the command after which the interpreter finds these libraries.

    It enters a shell that has them, or updates the files.
    """
    project = facts.project
    if project is None or not project.uses_nixpy:
        return init(facts)
    if project.style and styles.find(project.style).from_nixpkgs:
        style, _ = styles.recommend((), ())
        return f"nixpy init --style {style.name}"  # the current style supplies no libraries to wheels
    providers = {facts.suppliers[soname].provider for soname in sonames if soname in facts.suppliers}
    if providers == {"sibling-wheel"}:
        return project.install
    if set(sonames) <= facts.rendered:
        return project.enter
    return f"nixpy sync && {project.enter}"


def missing_driver(facts: Facts) -> Iterator[MachineDiagnostic]:
    """Yield NIX417: a library of the graphics driver is not found."""
    host = facts.host
    if host is None:
        return
    places: dict[Path | None, list[MissingLibrary]] = defaultdict(list)
    for one in _required(facts):
        if facts.suppliers[one.soname].provider == "host-driver":
            places[host.drivers.get(one.soname)].append(one)
    for place, missing in places.items():
        sonames, wheels = sorted({one.soname for one in missing}), sorted({one.wheel for one in missing})
        if place == DRIVER:
            # In the shell of nixpy the folder is searched if nixpy.nix is up to date; NIX416 reports if it is not.
            if facts.shell is not None and facts.shell.program.ours:
                continue
            why, command = f"{DRIVER} has {_it(sonames)}, but this Python does not search there", supply(facts, ())
        elif place == WSL_DRIVER and not host.nixos:
            why, command = f"Windows puts {_it(sonames)} into {place}; link it to {DRIVER}", _LINK_DRIVER
        else:
            why = f"but {DRIVER} {f'does not have {_it(sonames)}' if host.driver else 'does not exist'}; "
            why += f"to {'install' if host.driver else 'create'} it, set {_driver_option(host, place, sonames)}"
            command = "sudo nixos-rebuild switch" if host.nixos else "home-manager switch"
        yield MachineDiagnostic(
            code="NIX417",
            message=f"{shorten(sonames)} of the graphics driver {'is' if len(sonames) == 1 else 'are'} not found; "
            f"{shorten(wheels)} {'needs' if len(wheels) == 1 else 'need'} {_it(sonames)}, {why}",
            command=command,
            packages=tuple(wheels),
        )


def _it(sonames: Sequence[str]) -> str:
    return "it" if len(sonames) == 1 else "them"


def _driver_option(host: Host, place: Path | None, sonames: Sequence[str]) -> str:
    """Return the option of NixOS or home-manager that installs the driver."""
    if not host.nixos:
        return "targets.genericLinux.gpu.enable = true in home-manager"
    if place == WSL_DRIVER:
        return "wsl.useWindowsDriver = true of NixOS-WSL"
    # Mesa comes with hardware.graphics.enable, the driver of NVIDIA only with videoDrivers.
    nvidia = any(re.match(r"lib(?:cuda|nv|EGL_nvidia|GLX_nvidia|vdpau_nvidia)", one) for one in sonames)
    return "hardware.graphics.enable = true" + (' and services.xserver.videoDrivers = [ "nvidia" ]' * nvidia)
