"""The box: a machine like NixOS, in bubblewrap.

It has /nix/store, /proc, /dev, /tmp, a home, a minimal /etc, /bin/sh and /usr/bin/env, and no /lib, /usr/lib or
network. At /lib64/ld-linux-x86-64.so.2 stands nothing, NixOS's stub, or a stand-in for nix-ld.
"""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from nixos.box.store import WHEELHOUSE, packages
from nixos.realnix import CONFIGURATION, ROOT, VERSIONS

HOME = "/home/user"
WHEELS = "/wheels"  # the wheelhouse, in the box
LOADER = "/lib64/ld-linux-x86-64.so.2"

_ETC = {
    "passwd": "root:x:0:0::/root:/bin/sh\nuser:x:1000:100::/home/user:/bin/sh\n",
    "group": "root:x:0:\nusers:x:100:\n",
    "hosts": "127.0.0.1 localhost\n",
    "os-release": "ID=nixos\nNAME=NixOS\n",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A box with a home of its own; `home` is the folder of this machine that is `HOME` in it."""

    home: Path
    host_loader: Literal["nothing", "stub-ld", "nix-ld"] = "stub-ld"
    environment: Mapping[str, str] = field(default_factory=dict)

    def run(
        self, *command: str, cwd: str = HOME, check: bool = True, timeout: float = 300
    ) -> subprocess.CompletedProcess[str]:
        """The finished run of a command in the box; with `check`, AssertionError with all it wrote where it
        failed.
        """
        done = subprocess.run(
            self.command(*command, cwd=cwd),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        assert not check or done.returncode == 0, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"
        return done

    def command(self, *command: str, cwd: str = HOME) -> list[str]:
        """What starts a command in the box."""
        return ["bwrap", *self._machine(), *self._settings(), "--chdir", cwd, "--", *command]

    def nix(self, *arguments: str, cwd: str = HOME, check: bool = True) -> subprocess.CompletedProcess[str]:
        """The finished run of the current `nix …` in the box."""
        return self.run("nix", *arguments, cwd=cwd, check=check)

    def _machine(self) -> list[str]:
        self.home.mkdir(parents=True, exist_ok=True)
        built = packages()
        system = built["system-path"]
        etc = self.home.parent / "etc"
        etc.mkdir(exist_ok=True)
        for name, text in _ETC.items():
            (etc / name).write_text(text)
        options = ["--unshare-pid", "--unshare-net", "--die-with-parent", "--clearenv"]
        options += ["--proc", "/proc", "--dev", "/dev", "--dir", "/run"]
        options += ["--tmpfs", "/tmp", "--dir", "/var/tmp"]  # noqa: S108 - the box's own
        options += ["--bind", str(ROOT), "/nix", "--bind", str(self.home), HOME, "--ro-bind", str(WHEELHOUSE), WHEELS]
        options += [part for name in _ETC for part in ("--ro-bind", str(etc / name), f"/etc/{name}")]
        links = {
            "/bin/sh": system / "bin/sh",
            "/usr/bin/env": system / "bin/env",
            "/run/current-system/sw": system,
            # What nixpkgs' loader knows by itself; see ../nixpkgs/debian/unpack.sh.
            "/etc/ld.so.cache": built["glibc"] / "etc/ld.so.cache",
        }
        if self.host_loader != "nothing":
            links[LOADER] = built[self.host_loader] / "libexec" / self.host_loader
        options += [part for link, target in links.items() for part in ("--symlink", str(target), link)]
        # Nix itself, which brings its own loader and libraries.
        nix = str(VERSIONS["current"].parent)
        return [*options, "--ro-bind", nix, nix]

    def _settings(self) -> list[str]:
        settings = {
            "HOME": HOME,
            "USER": "user",
            "LANG": "C.UTF-8",
            "PATH": f"/run/current-system/sw/bin:{VERSIONS['current']}",
            "TERM": "dumb",
            "NIX_CONFIG": CONFIGURATION,
            "NIX_CONF_DIR": "/nix/no-configuration",
            "XDG_CACHE_HOME": "/nix/home/cache-box",
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": WHEELS,
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "PIP_COMPILE": "0",  # what is imported is compiled then
            "UV_NO_INDEX": "1",
            "UV_FIND_LINKS": WHEELS,
            "UV_OFFLINE": "1",
            **self.environment,
        }
        return [part for name, value in settings.items() for part in ("--setenv", name, value)]
