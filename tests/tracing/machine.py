"""The machine: the box with an X server, a Wayland compositor, a sound server, a session bus and given libraries.

It has glibc and CPython of the stand-in nixpkgs. `LD_LIBRARY_PATH` names one folder, with a link for each library that
nixpy renders.
"""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from nixos.box.store import in_root, packages
from nixos.realnix import ROOT as NIX
from tracing.debian import FOLDER, IN_BOX, ROOT, TRACE

APP = Path("/app")  # the installed packages, in the box
LIBRARIES = Path("/libraries")
LOG = Path("/log")
_SERVER = TRACE / "server"
_SOCKETS = TRACE / "sockets"
_DISPLAY = 7
Session = Literal["x11", "wayland"]
_FIND_LIBRARY = Path(__file__).parents[2] / "templates/nix/programs/find_library.py"
_RECORD = '''

_find = find_library


def find_library(name):
    """Write down what is looked for. gcc, which a shell of nixpkgs has, finds the libraries of glibc."""
    import glob
    import json
    import sys

    found = _find(name)
    if found is None and (of_glibc := glob.glob(f"{glibc}/lib/lib{{name}}.so.[0-9]*")):
        found = os.path.basename(of_glibc[0])
    with open("{log}/find_library", "a") as log:
        caller = sys._getframe(1).f_code.co_filename
        log.write(json.dumps({{"name": name, "found": found, "caller": caller}}) + "\\n")
    return found
'''


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """The end of one run in the box, and the folder of its logs."""

    status: int
    output: str  # the last lines
    log: Path


@contextlib.contextmanager
def servers() -> Iterator[None]:
    """Run Xvfb, a null sound server and a session bus, from Debian's packages in a folder."""
    if not (_SERVER / "usr/bin/Xvfb").exists():
        script = Path(__file__).with_name("debian.sh")
        names = ("xvfb", "weston", "pulseaudio", "dbus-daemon", "dash", "fonts-dejavu-core")
        subprocess.run([script, TRACE / "apt", "root", _SERVER, *names], check=True)
        if not (_SERVER / "usr/bin/sh").exists():
            (_SERVER / "usr/bin/sh").symlink_to("dash")
        (_SERVER / "etc/passwd").write_text("root:x:0:0::/home/user:/bin/sh\n")
    shutil.rmtree(_SOCKETS, ignore_errors=True)
    _make_sockets()
    (_SOCKETS / "run").chmod(0o700)
    sandbox = ["bwrap", "--unshare-pid", "--unshare-net", "--die-with-parent", "--clearenv"]
    sandbox += ["--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp", "--ro-bind", str(_SERVER / "usr"), "/usr"]  # noqa: S108
    for name in ("lib", "lib64", "bin", "sbin"):
        sandbox += ["--symlink", f"usr/{name}", f"/{name}"]
    sandbox += ["--ro-bind", str(_SERVER / "etc"), "/etc", "--dir", "/var/lib/xkb", "--dir", "/home/user"]
    sandbox += ["--bind", str(_SOCKETS / "x"), "/tmp/.X11-unix", "--bind", str(_SOCKETS / "run"), "/run/user"]  # noqa: S108
    for name, value in {"PATH": "/usr/bin", "HOME": "/home/user", "XDG_RUNTIME_DIR": "/run/user"}.items():
        sandbox += ["--setenv", name, value]
    commands: Sequence[Sequence[str]] = (
        ["Xvfb", f":{_DISPLAY}", "-screen", "0", "1024x768x24", "-nolisten", "tcp", "+extension", "GLX"],
        [
            *("pulseaudio", "-n", "--daemonize=no", "--use-pid-file=no", "--exit-idle-time=-1"),
            *(
                "--load=module-null-sink",
                "--load=module-native-protocol-unix auth-anonymous=1 socket=/run/user/pulse.sock",
            ),
        ],
        ["weston", "--backend=headless-backend.so", "--socket=wayland", "--idle-time=0"],
        ["dbus-daemon", "--session", "--nofork", "--address=unix:path=/run/user/bus"],
    )
    with contextlib.ExitStack() as stack:
        for command in commands:
            log = stack.enter_context((TRACE / f"{command[0]}.log").open("w"))
            process = subprocess.Popen([*sandbox, "--", *command], stdout=log, stderr=log, stdin=subprocess.DEVNULL)
            stack.callback(process.wait)
            stack.callback(process.kill)
        expected = [
            _SOCKETS / "x" / f"X{_DISPLAY}",
            _SOCKETS / "run/pulse.sock",
            _SOCKETS / "run/bus",
            _SOCKETS / "run/wayland",
        ]
        end = time.monotonic() + 20
        while not all(path.exists() for path in expected) and time.monotonic() < end:
            time.sleep(0.1)
        yield


def _make_sockets() -> None:
    for name in ("x", "run"):
        (_SOCKETS / name).mkdir(parents=True, exist_ok=True)


def run(
    script: str,
    site: Path,
    libraries: Mapping[str, Path],
    folder: Path,
    *,
    session: Session = "x11",
    timeout: float = 120,
) -> Run:
    """Run a script in the box and trace what its processes open.

    Args:
        script: The text of a Python program.
        site: The folder of the installed packages.
        libraries: The file of each library that `LD_LIBRARY_PATH` has, by its name.
        folder: A folder of this run; it is emptied.
        session: The display server that programs shall use; in a Wayland session there is an X
            server, too, and no sound server.
        timeout: The seconds after which the program is ended.
    """
    shutil.rmtree(folder, ignore_errors=True)
    for name in ("home", "log", "libraries"):
        (folder / name).mkdir(parents=True)
    for name, path in libraries.items():
        (folder / "libraries" / name).symlink_to(path)
    _make_sockets()
    (folder / "home/work.py").write_text(script)
    command = ["bwrap", *_machine(site, folder, session), "--", "env", "LD_DEBUG=files", f"LD_DEBUG_OUTPUT={LOG}/ld"]
    command += ["python3", "work.py"]
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=timeout,
            check=False,
        )
        return Run(status=done.returncode, output="\n".join(done.stdout.splitlines()[-12:]), log=folder / "log")
    except subprocess.TimeoutExpired:
        return Run(status=124, output=f"the program ran longer than {timeout} s", log=folder / "log")


def _machine(site: Path, folder: Path, session: Session) -> list[str]:
    built = packages()
    python = built["python"]
    util = folder / "util.py"
    original = in_root(python) / "lib/python3.13/ctypes/util.py"
    # What nixpy's feature find-library does to CPython.
    addition = _FIND_LIBRARY.read_text().replace("@libraries@/lib", str(LIBRARIES))
    util.write_text(original.read_text() + addition + _RECORD.format(log=LOG, glibc=built["glibc"]))
    (folder / "util.pyc").write_bytes(b"")
    options = ["--unshare-pid", "--unshare-net", "--die-with-parent", "--clearenv"]
    options += ["--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp", "--dir", "/var/tmp", "--dir", "/run"]  # noqa: S108
    options += ["--ro-bind", str(NIX / "store"), "/nix/store", "--ro-bind", str(ROOT), str(IN_BOX)]
    options += ["--ro-bind", str(util), f"{python}/lib/python3.13/ctypes/util.py"]
    options += [
        "--ro-bind",
        str(folder / "util.pyc"),
        f"{python}/lib/python3.13/ctypes/__pycache__/util.cpython-313.pyc",
    ]
    options += ["--bind", str(site), str(APP), "--bind", str(folder / "home"), "/home/user"]
    options += ["--ro-bind", str(folder / "libraries"), str(LIBRARIES), "--bind", str(folder / "log"), str(LOG)]
    options += ["--ro-bind", str(_SOCKETS / "x"), "/tmp/.X11-unix", "--bind", str(_SOCKETS / "run"), "/run/user"]  # noqa: S108
    links = {
        "/bin/sh": built["system-path"] / "bin/sh",
        "/usr/bin/env": built["system-path"] / "bin/env",
        "/etc/ld.so.cache": built["glibc"] / "etc/ld.so.cache",
        "/lib64/ld-linux-x86-64.so.2": built["glibc"]
        / "lib/ld-linux-x86-64.so.2",  # as nix-ld, or the root of style fhs
        "/usr/share": IN_BOX / "usr/share",
        "/usr/lib/file": IN_BOX / "usr/lib/file",
    }
    # Plugins and data, whose paths are compiled into Debian's libraries. No library lies in the parent folder.
    for path in sorted((ROOT / FOLDER).iterdir()):
        if path.is_dir():
            links[f"/{FOLDER}/{path.name}"] = IN_BOX / FOLDER / path.name
    for path in sorted((ROOT / "etc").glob("*")):
        if path.name != "ssl":
            links[f"/etc/{path.name}"] = IN_BOX / "etc" / path.name
    options += [part for link, target in links.items() for part in ("--symlink", str(target), link)]
    etc = {"passwd": "user:x:0:0::/home/user:/bin/sh\n", "group": "users:x:0:\n", "machine-id": f"{1:032}\n"}
    for name, text in etc.items():
        (folder / name).write_text(text)
        options += ["--ro-bind", str(folder / name), f"/etc/{name}"]
    options += ["--ro-bind-try", "/etc/ssl/certs", "/etc/ssl/certs"]
    settings = {
        "HOME": "/home/user",
        "USER": "user",
        "LANG": "C.UTF-8",
        "PATH": f"{APP}/bin:{python}/bin:{built['system-path']}/bin",
        "PYTHONPATH": str(APP),
        "PYTHONDONTWRITEBYTECODE": "1",
        "LD_LIBRARY_PATH": str(LIBRARIES),
        "DISPLAY": f":{_DISPLAY}",
        "XDG_RUNTIME_DIR": "/run/user",
        "XDG_SESSION_TYPE": session,
        "PULSE_SERVER": "unix:/run/user/pulse.sock",
        "DBUS_SESSION_BUS_ADDRESS": "unix:path=/run/user/bus",
    }
    if session == "wayland":
        settings["WAYLAND_DISPLAY"] = "wayland"
        del settings["PULSE_SERVER"]
    options += [part for name, value in settings.items() for part in ("--setenv", name, value)]
    return [*options, "--chdir", "/home/user"]
