"""The real uv, shut in: one index on loopback, a cache and configuration of its own, never another Python."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import uv

from nixpy.core.target import MACOS, Target

_INHERITED = ("PATH", "HOME", "TMPDIR", "LANG")


@dataclass(frozen=True, kw_only=True)
class RealUv:
    """Runs uv in `folder` with `index_url` as its only index; `cache` may be shared."""

    folder: Path
    index_url: str
    cache: Path
    settings: Mapping[str, str] = field(default_factory=dict)

    def environment(self) -> dict[str, str]:
        """Return the environment in which uv runs."""
        return {
            **{name: os.environ[name] for name in _INHERITED if name in os.environ},
            "UV_DEFAULT_INDEX": self.index_url,
            "UV_CACHE_DIR": str(self.cache),
            "UV_PYTHON": sys.executable,
            "UV_PYTHON_DOWNLOADS": "never",
            "UV_NO_SYSTEM_CONFIG": "1",
            "MACOSX_DEPLOYMENT_TARGET": ".".join(map(str, MACOS)),
            **self.settings,
        }

    def attempt(self, *arguments: str, text: str | None = None) -> subprocess.CompletedProcess[str]:
        """Run uv, whatever comes of it."""
        return subprocess.run(
            [uv.find_uv_bin(), "--no-progress", *arguments],
            cwd=self.folder,
            env=self.environment(),
            input=text,
            text=True,
            capture_output=True,
            check=False,
            timeout=60,
        )

    def run(self, *arguments: str, text: str | None = None) -> str:
        """Run uv and return what it prints; its failure fails the test with what it says."""
        result = self.attempt(*arguments, text=text)
        assert result.returncode == 0, f"uv {' '.join(arguments)}\n{result.stderr}"
        return result.stdout

    def export(self, *arguments: str) -> str:
        """Return the requirements that uv.lock means, hashes and markers included, local projects left out."""
        return self.run("export", "--frozen", "--no-header", "--no-annotate", "--no-emit-workspace", *arguments)

    def installed(self, requirements: str, target: Target, *arguments: str) -> frozenset[str]:
        """Return the wheels that uv installs of exported requirements on `target`, as `wheel_key` tells them apart."""
        with tempfile.TemporaryDirectory() as folder:
            self.run(
                *("pip", "install", "--no-deps", "--no-build", "--no-config", "--quiet", "--target", folder),
                *("--python-platform", platform(target), "--python-version", target.python),
                *("--requirements", "-", *arguments),
                text=requirements,
            )
            return frozenset(
                wheel_key(info.name.removesuffix(".dist-info"), (info / "WHEEL").read_text())
                for info in Path(folder).glob("*.dist-info")
            )


def platform(target: Target) -> str:
    """Return what uv calls the platform of a target; its glibc must be one that uv has a name for."""
    machine, _, kernel = target.system.partition("-")
    if kernel == "darwin":
        return f"{machine}-apple-darwin"
    return f"{machine}-manylinux_{target.glibc[0]}_{target.glibc[1]}"


def wheel_key(stem: str, wheel: str) -> str:
    """Return what tells one wheel from another, from its dist-info: `name-version build tags`."""
    fields = [line.split(": ", 1) for line in wheel.splitlines() if ": " in line]
    build = "".join(value for key, value in fields if key == "Build")
    return " ".join([stem, build or "0", *sorted(v for k, v in fields if k == "Tag")])


def file_keys(paths: Iterable[Path]) -> dict[str, str]:
    """Return the `wheel_key` of wheel files by file name."""
    import zipfile

    keys = {}
    for path in paths:
        with zipfile.ZipFile(path) as archive:
            info = next(name for name in archive.namelist() if name.endswith(".dist-info/WHEEL"))
            stem = info.partition(".dist-info")[0]
            keys[path.name] = wheel_key(stem, archive.read(info).decode())
    return keys
