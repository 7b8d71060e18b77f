"""Libraries from Debian's packages: unpacked into a folder of the cache, never installed.

Each library is given a run path to that folder, as a library of nixpkgs has run paths to the libraries that it links
to. So a library finds those that it links to itself, and the tested package finds only those that `LD_LIBRARY_PATH`
names.
"""

from __future__ import annotations

import csv
import functools
import re
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

from nixos.realnix import CACHE

TRACE = CACHE / "trace"
ROOT = TRACE / "debian"  # the unpacked packages
FOLDER = "usr/lib/x86_64-linux-gnu"
IN_BOX = Path("/debian")  # where they lie in the box

# Data, plugins and drivers that a library opens at run time: its package in nixpkgs has them, or the machine.
WITH = {
    "libEGL.so.1": ("libegl-mesa0", "libgl1-mesa-dri"),
    "libGL.so.1": ("libglx-mesa0", "libgl1-mesa-dri"),
    "libGLX.so.0": ("libglx-mesa0", "libgl1-mesa-dri"),
    "libMagickWand-6.Q16.so.6": ("imagemagick-6-common",),
    "libX11.so.6": ("libx11-data",),
    "libasound.so.2": ("libasound2-data",),
    "libenchant-2.so.2": ("hunspell-en-us",),
    "libespeak-ng.so.1": ("espeak-ng-data",),
    "libfontconfig.so.1": ("fontconfig-config", "fonts-dejavu-core"),
    "libgdal.so.32": ("proj-data", "gdal-data"),
    "libmagic.so.1": ("libmagic-mgc",),
    "libvlc.so.5": ("vlc-plugin-base",),
    "libxkbcommon.so.0": ("xkb-data",),
}
OF_GLIBC = frozenset({"libc6", "libc-bin"})  # the box has its own

_LINE = re.compile(
    r"(?:usr/)?lib/(?:x86_64-linux-gnu/)?((?:(?!libfakeroot|nx|mesa|tests)[\w.+-]+/)?)([^/\s]+\.so\S*)\s+(\S+)"
)
_VERSIONED = re.compile(r"(.+\.so)\.(\d+(?:\.\d+)*)")
_TABLE = Path(__file__).with_name("debs.csv")  # of the sample in `make test`
_SHELL = Path(__file__).with_name("debian.sh")


class Debian:
    """Debian 12's archive. Without the contents of its packages, it knows those of debs.csv."""

    def __init__(self) -> None:
        self._apt = TRACE / "apt"
        self._unpacked = TRACE / "debian.unpacked"  # a file for each package: the sonames that it links to
        self._unpacked.mkdir(parents=True, exist_ok=True)

    def soname_of(self, name: str) -> str | None:
        """Return the newest version of a library that Debian has, such as `libz.so.1` for `libz.so`; None for none."""
        if name in self._newest:
            return self._newest[name]
        return name if self._package(name) else None

    def provide(self, names: Iterable[str]) -> dict[str, Path]:
        """Unpack libraries with all that they link to.

        Returns:
            The file of each library in the box, by its name; none for a library that Debian lacks.
        """
        asked = {name: soname for name in names if (soname := self.soname_of(name)) is not None}
        found: set[str] = set()
        wanted = set(asked.values())
        while wanted:
            found |= wanted
            packages = {self._package(soname) for soname in wanted} - {None}
            packages |= {package for soname in wanted for package in WITH.get(soname, ())}
            self.unpack(package for package in packages if package)
            wanted = {need for package in packages if package for need in self._needs(package)} - found
        paths = {soname: path for soname in found if (path := self._file(soname)) is not None}
        return {name: paths[soname] for name, soname in asked.items() if soname in paths}

    def bring_contents(self) -> None:
        """Download which package has which file, about 80 MB, once."""
        if not (self._apt / "contents").exists():
            subprocess.run([_SHELL, self._apt, "contents"], check=True)

    def record(self, sonames: Iterable[str]) -> None:
        """Write the packages of libraries, and of all that they link to, into debs.csv."""
        rows: dict[str, str] = {}
        wanted = set(sonames)
        while wanted:
            rows |= {soname: package for soname in wanted if (package := self._package(soname)) is not None}
            wanted = {need for soname in wanted & rows.keys() for need in self._needs(rows[soname])} - rows.keys()
            wanted = {soname for soname in wanted if self._package(soname) not in {None, *OF_GLIBC}}
        with _TABLE.open("w", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(("soname", "deb"))
            writer.writerows(sorted(rows.items()))

    def unpack(self, packages: Iterable[str]) -> None:
        """Download and unpack those of the packages that are not unpacked yet."""
        new = sorted({p for p in packages if p not in OF_GLIBC and not (self._unpacked / p).exists()})
        if not new:
            return
        folder = TRACE / "debs.new"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        subprocess.run([_SHELL, self._apt, "download", folder, *new], check=True)
        for deb in sorted(folder.glob("*.deb")):
            self._unpack(deb)
        shutil.rmtree(folder)

    def _unpack(self, deb: Path) -> None:
        for name in ("lib", "bin", "sbin"):
            (ROOT / "usr" / name).mkdir(parents=True, exist_ok=True)
            if not (ROOT / name).is_symlink():
                (ROOT / name).symlink_to(f"usr/{name}")
        contents = subprocess.run(["dpkg-deb", "--fsys-tarfile", deb], check=True, capture_output=True).stdout
        command: list[str | Path] = ["tar", "-xv", "-C", ROOT, "--keep-directory-symlink", "--no-same-owner"]
        members = subprocess.run(command, input=contents, check=True, capture_output=True).stdout.decode()
        needs: set[str] = set()
        for path in (ROOT / member for member in members.splitlines()):
            if path.is_symlink() or not path.is_file() or path.open("rb").read(4) != b"\x7fELF":
                continue
            needs |= set(_patchelf("--print-needed", path).split())
            old = _patchelf("--print-rpath", path).strip().split(":")
            private = [f"{IN_BOX}{folder}" for folder in old if folder.startswith("/usr/lib")]
            _patchelf("--set-rpath", ":".join([f"{IN_BOX}/{FOLDER}", *private]), path)
        (self._unpacked / deb.name.split("_")[0]).write_text("".join(f"{need}\n" for need in sorted(needs)))

    def _needs(self, package: str) -> list[str]:
        file = self._unpacked / package
        return file.read_text().split() if file.exists() else []

    def _file(self, soname: str) -> Path | None:
        """Return the file of an unpacked library in the box."""
        link = ROOT / FOLDER / soname
        if not link.exists() and not link.is_symlink():
            found = sorted((ROOT / "usr/lib").glob(soname)) or sorted((ROOT / FOLDER).rglob(soname))
            if not found:
                return None
            # An installation chooses one of several, such as of BLAS.
            link.symlink_to(IN_BOX / found[0].relative_to(ROOT))
        return IN_BOX / FOLDER / soname

    def _package(self, soname: str) -> str | None:
        return next((p for p in self._packages.get(soname, ()) if not p.endswith("-dev")), None)

    @functools.cached_property
    def _newest(self) -> dict[str, str]:
        """The newest version of each library, by its name without a version."""
        found: dict[str, tuple[tuple[int, list[int]], str]] = {}
        for name in self._packages:
            if (match := _VERSIONED.fullmatch(name)) is not None:
                numbers = [int(number) for number in match[2].split(".")]
                # A soname has fewer numbers than the file to which it is a link.
                found[match[1]] = max(found.get(match[1], ((-9, []), "")), ((-len(numbers), numbers), name))
        return {stem: name for stem, (_, name) in found.items()}

    @functools.cached_property
    def _packages(self) -> dict[str, list[str]]:
        """The packages that have a library, by its file name; the plainest comes first."""
        if not (self._apt / "contents").exists():
            with _TABLE.open(newline="") as file:
                return {row["soname"]: [row["deb"]] for row in csv.DictReader(file)}
        found: dict[str, set[tuple[int, int, str]]] = {}
        for match in map(_LINE.match, (self._apt / "contents").read_text(errors="replace").splitlines()):
            if match is not None:
                for package in match[3].split(","):
                    name = package.rpartition("/")[2]
                    found.setdefault(match[2], set()).add((len(match[1]), len(name), name))
        return {name: [package for *_, package in sorted(rows)] for name, rows in found.items()}


def _patchelf(*arguments: str | Path) -> str:
    """Return what patchelf prints: nothing for a file that is none for it."""
    return subprocess.run(["patchelf", *arguments], capture_output=True, text=True, check=False).stdout
