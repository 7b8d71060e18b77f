"""Find the program uv, and run `uv pip compile` with clear errors."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from packaging.version import Version

from nixpy.core import limits, programs
from nixpy.core.errors import NetworkError, NixpyError, ProgramError, ResolutionError
from nixpy.index.uv_config import UvConfig, uv_variables

_OLDEST_UV = Version("0.9")
_VERSION = re.compile(r"uv (\d[\w.]*)")
_INSTALL = "Install uv, run nixpy in `nix shell nixpkgs#uv`, or install the extra `nixpy[uv]`."
_BUILD_FAILED = re.compile(r"Failed to (?:download and )?build `([^`]+)`")
_NAMELESS = re.compile(r"\A(?:error: )?The build backend returned an error")
_SHOWN_LINES = 14
_OTHER_PYTHON = "Choose a Python that these have wheels for (--python), or other versions of them."
_HINTS: tuple[tuple[str, str, type[NixpyError]], ...] = (  # the first pattern that matches uv's text decides
    (
        r"network (?:was|connectivity is) disabled|Network connectivity",
        "Run once without --offline: the cache of uv does not have this.",
        NetworkError,
    ),
    (
        r"40[137]\b|Unauthorized|Forbidden|credentials",
        "Give uv the credentials of this index, in netrc or in UV_INDEX_<NAME>_USERNAME and _PASSWORD.",
        NetworkError,
    ),
    (
        r"certificate|UnknownIssuer|tls",
        "Name the authority's certificate in SSL_CERT_FILE.",
        NetworkError,
    ),
    (
        r"Failed to fetch|error sending request|dns error|tcp connect|timed out|Request failed",
        "Check the network and the index settings of uv or pip, or use a lock.",
        NetworkError,
    ),
    (
        r"matching Python (?:version|ABI) tag|does not satisfy Python",
        _OTHER_PYTHON,
        ResolutionError,
    ),
    (
        r"was not found in the package registry|there are no versions of",
        "Check the spelling of the name, and that the indexes in the settings of uv or pip have the package.",
        ResolutionError,
    ),
    (
        r"no version of|No solution found",
        "Change the requirements named above so that one set of versions fits them all.",
        ResolutionError,
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Uv:
    """A uv that was started to read its version."""

    path: Path
    version: Version


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """The reason why uv could not resolve. `text` is free of credentials.

    `builds` are the packages that uv tried to build, as `NAME==VERSION` or `NAME @ URL`. `nameless`: it tried to build
    one to find its name.
    """

    text: str
    builds: frozenset[str]
    nameless: bool

    def error(self) -> NixpyError:
        """Return the error to show, with a hint."""
        found = ((hint, kind) for pattern, hint, kind in _HINTS if re.search(pattern, self.text))
        hint, kind = next(found, (None, ResolutionError))
        error = kind("uv cannot resolve the requirements:", details=self.text, hint=hint)
        if isinstance(error, ResolutionError):
            error.no_wheel = hint == _OTHER_PYTHON
        return error


def find_uv(environ: Mapping[str, str] = os.environ, *, project: Path) -> Uv:
    """Return the uv on PATH, else the one that `nixpy[uv]` installs.

    The latter does not start on NixOS.

    nixpy does not start a uv in the checkout of `project`. Raises NixpyError if none of them starts and is new enough.
    """
    reasons = []
    if ignored := programs.left_out("uv", environ, project=project):
        reasons.append(f"{ignored} is not started: {programs.OWN}")
    for path in _candidates(environ, project):
        try:
            answer = programs.run("uv", path, ["--version"], project=project, environ=environ, timeout=30)
        except (OSError, programs.SubprocessError):
            answer = None
        if answer is None or answer.returncode != 0:
            reasons.append(f"{path} does not start")
            continue
        found = _VERSION.match(answer.stdout)
        if found and Version(found[1]) >= _OLDEST_UV:
            return Uv(path=path, version=Version(found[1]))
        reasons.append(f"{path} is {answer.stdout.strip()}, and {_OLDEST_UV} is the oldest that nixpy supports")
    because = f" ({'; '.join(reasons)})" if reasons else ""
    raise ProgramError(f"there is no lock file, and no uv to resolve the requirements{because}", hint=_INSTALL)


def _candidates(environ: Mapping[str, str], project: Path) -> Iterator[Path]:
    if on_path := programs.find("uv", environ, project=project):
        yield on_path
    try:
        from uv import find_uv_bin  # the optional extra

        yield Path(find_uv_bin())
    except (ImportError, FileNotFoundError):
        return


# Each uv that was tried in this process and cannot build, and whether the builds of other packages were allowed.
_checked: set[tuple[Uv, bool]] = set()

# A build system that leaves a trace. Its build needs no other package.
_TRIAL = {
    "pyproject.toml": '[build-system]\nrequires = []\nbuild-backend = "trial"\nbackend-path = ["."]\n',
    "trial.py": "import os\nopen(os.path.join(os.path.dirname(__file__), 'ran'), 'w').close()\n",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Compiler:
    """The conditions of a run of uv: its folder, Python and environment.

    uv reads `config` and no other settings. `conceal` removes credentials from uv's text. Without `allow_build` a build
    fails before it runs code of the package: a Python that uv starts for it finds no standard library in PYTHONHOME.
    The builds of the `allowed` packages have another PYTHONHOME.
    """

    uv: Uv
    root: Path
    python: str
    config: UvConfig
    allow_build: bool
    allowed: frozenset[str]
    environment: Mapping[str, str] = field(repr=False)
    conceal: Callable[[str], str] = field(repr=False)
    offline: bool

    def compile(
        self, sources: Sequence[str], options: Sequence[str], output: Path, unknown: Iterable[tuple[str, str]]
    ) -> Failure | None:
        """Run `uv pip compile` for all systems.

        Return the failure, or None if uv wrote `output`.

        uv keeps the pins that are already in `output`, if possible. `unknown` are names and versions of packages with
        requirements that only a build shows: for uv they have none. uv never downloads a Python: it uses the one that
        runs nixpy, which need not be `python`. An interrupt ends uv with nixpy.
        """
        settings = output.with_name("uv.toml")
        settings.write_text(self.config.text(unknown, self.allowed), "utf-8")
        command = [*sources, "--universal", "--format", "pylock.toml", "--python-version", self.python]
        command += [*(["--offline"] if self.offline else []), *options]
        done = self._run(command, settings, output)
        if done.returncode == 0:
            return None
        text = self.conceal(done.stderr).replace(str(settings), self.config.origin)
        return Failure(
            text=_shortened(text),
            builds=frozenset(_BUILD_FAILED.findall(text)),
            nameless=bool(_NAMELESS.match(text.lstrip())),
        )

    def check_builds_fail(self, folder: Path) -> None:
        """Try with a package of nixpy's own, in `folder`, that this uv cannot build.

        Raises NixpyError if its build system ran, or if uv did not try to build it: a later uv may start Python in
        another way.
        """
        case = self.uv, bool(self.allowed)
        if case in _checked:
            return
        trial = folder / "trial"
        trial.mkdir()
        for name, text in _TRIAL.items():
            trial.joinpath(name).write_text(text, "utf-8")
        settings, requirements = folder / "trial.toml", folder / "trial.in"
        settings.write_text(UvConfig().text(allowed=["another"] if self.allowed else []), "utf-8")
        requirements.write_text(f"trial @ {trial.as_uri()}\n", "utf-8")
        done = self._run([requirements, "--offline"], settings, folder / "trial.txt")
        if trial.joinpath("ran").exists() or not _BUILD_FAILED.search(done.stderr):
            raise ProgramError(
                f"nixpy cannot prevent uv {self.uv.version} from building packages",
                details="" if trial.joinpath("ran").exists() else _shortened(self.conceal(done.stderr)),
                hint="Use another version of uv, make a lock with `uv lock`, or allow builds with --allow-build.",
            )
        _checked.add(case)

    def _run(self, arguments: Sequence[str | Path], settings: Path, output: Path) -> programs.CompletedProcess:
        command = ["pip", "compile", *arguments, "--config-file", settings, "--output-file", output]
        command += ["--python", sys.executable, "--no-header", "--color", "never", "--no-progress", "--quiet"]
        variables = uv_variables(os.environ, allow_build=self.allow_build)
        # uv wraps its messages to the width of a terminal, and nixpy searches and wraps them.
        environment = {**variables, **self.environment, "UV_PYTHON_DOWNLOADS": "never", "COLUMNS": "10000"}
        if not self.allow_build:
            environment = {name: value for name, value in environment.items() if not name.startswith("PYTHON")}
            nothing = output.with_name("no-python")
            nothing.mkdir(exist_ok=True)
            environment["PYTHONHOME"] = str(nothing)
            if not self.allowed:  # then uv installs no build system first
                command.append("--no-build-isolation")
        most = None if self.allow_build else limits.RESOLUTION
        try:
            return programs.run(
                "uv", self.uv.path, command, project=self.root, environ=environment, cwd=self.root, timeout=most
            )
        except programs.SubprocessError:
            raise NetworkError(
                f"uv did not finish within {limits.RESOLUTION / 60:,.0f} minutes",
                hint="Check the index settings of uv or pip, or use a lock.",
            ) from None


def _shortened(text: str) -> str:
    """Return the first lines of uv's text without warnings and blank lines."""
    lines = [line.rstrip() for line in text.splitlines() if line.strip() and not line.startswith("warning:")]
    lines = [line.removeprefix("error: ") for line in lines]
    return "\n".join(lines[:_SHOWN_LINES] + ["…"] * (len(lines) > _SHOWN_LINES))
