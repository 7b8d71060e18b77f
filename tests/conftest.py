"""What every test may use: a small index on loopback, and nixpy that knows no other."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Generator, Iterator
from datetime import date

import hypothesis
import pytest

import shop
from newprojects import NewProjects
from nixos.realnix import CURRENT, Nix
from nixpy.nixpkgs import releases
from nixpy.styles import promises, styles
from runner import Nixpy
from smallindex import SmallIndex
from suite import marks, outcomes, shared, templates
from suite.access import ACCESS

# A slow machine is no failure; and CI tries the same cases for the same commit.
hypothesis.settings.register_profile(
    "nixpy",
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow, hypothesis.HealthCheck.function_scoped_fixture],
    derandomize=bool(os.environ.get("CI")),
    print_blob=True,
)
hypothesis.settings.load_profile("nixpy")


# The judges of the other tests; see suite.outcomes.
PLUGIN = pytest.StashKey[outcomes.Plugin]()
MARKERS = pytest.StashKey[frozenset[str]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    outcomes.add_options(parser)


def pytest_configure(config: pytest.Config) -> None:
    # A process of pytest-xdist, and one in the background, ignores Ctrl-C, and what the tests start would inherit that.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    config.stash[PLUGIN] = outcomes.Plugin(config)
    config.pluginmanager.register(config.stash[PLUGIN])


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> Generator[None, object, object]:
    """Give each test its markers and its group, before pytest-xdist looks for groups; put the tests that take long
    before the others, which fill gaps.
    """
    for item in items:
        markers = marks.markers(marks.path_of(item), getattr(item, "fixturenames", ()))
        item.stash[MARKERS] = markers
        for marker in markers:
            item.add_marker(marker)
        if group := marks.group(item):
            item.add_marker(pytest.mark.xdist_group(group))
    if "PYTEST_XDIST_WORKER" in os.environ:
        items.sort(key=lambda item: marks.turn(item.stash[MARKERS]))
    return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Let the test use what its markers say, and no more."""
    markers = item.stash[MARKERS]
    ACCESS.test, ACCESS.markers = item.nodeid, markers
    try:
        return (yield)
    finally:
        ACCESS.markers = None


@pytest.fixture(scope="session", autouse=True)
def _compiled_once() -> Iterator[None]:
    """Templates are compiled once for all tests of the process."""
    with pytest.MonkeyPatch.context() as patch:
        templates.keep_compiled(patch)
        yield


@pytest.fixture(autouse=True)
def _a_day_in_2026(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test depends on the date: NIX211 reports the end of support of the branches in releases.toml."""
    monkeypatch.setattr(releases, "today", lambda: date(2026, 6, 1))


@pytest.fixture(scope="session")
def real_nix() -> Nix:
    """The current one of the two Nixes that `make setup` brings; a test that uses any of them is marked `nix`."""
    return CURRENT


@pytest.fixture(scope="session")
def real_box() -> None:
    """The machine without /lib that `make setup` builds; a test that uses it is marked `box`."""


@pytest.fixture(scope="session")
def network() -> None:
    """Access to the package index; a test that uses it is marked `network`."""


@pytest.fixture(scope="session")
def many_runs() -> None:
    """Runs of nixpy by the dozen; a test that uses them is marked `slow`."""


@pytest.fixture
def outcomes_of(request: pytest.FixtureRequest) -> Callable[[str], dict[str, str]]:
    """How each form of a proof, a test by the beginning of its node id, ended in this run; skips where it is no part of
    the run, unless that is the whole.
    """
    known = request.config.stash[PLUGIN].outcomes

    def outcomes_of(proof: str) -> dict[str, str]:
        found = known.of(proof)
        if not found and not known.whole:
            pytest.skip("only a part of the tests was run, and the proof is not in it")
        return found

    if "PYTEST_XDIST_WORKER" in os.environ:
        pytest.skip("the other process knows a part of the outcomes: `make test` judges them in a second run")
    return outcomes_of


@pytest.fixture
def saw(request: pytest.FixtureRequest) -> Callable[[str, str, bool | str], None]:
    """Notes whether, or by what alone, the test saw a style serve a need; AssertionError where that is not promised."""

    def saw(style: str, need: str, served: bool | str) -> None:
        request.node.user_properties.append((outcomes.SAW, [style, need, served]))
        assert served == promises.find(need).promised(styles.find(style)), (style, need, served)

    return saw


@pytest.fixture
def seen_by(request: pytest.FixtureRequest) -> Callable[[str], set[outcomes.Seen]]:
    """What the forms of a proof, a test by the beginning of its node id, saw of styles in this run."""
    return request.config.stash[PLUGIN].outcomes.seen_by


@pytest.fixture(scope="session")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallIndex]:
    """The shop's wheels, served on loopback."""
    with SmallIndex(shop.stock(tmp_path_factory.mktemp("shop"))) as index:
        yield index


@pytest.fixture(scope="session")
def new_projects(tmp_path_factory: pytest.TempPathFactory) -> NewProjects:
    """What `nixpy new` makes, once for all processes of the run."""
    folder = shared.folder(tmp_path_factory) / "new"
    folder.mkdir(exist_ok=True)
    return NewProjects(folder)


@pytest.fixture
def nixpy(
    index: SmallIndex,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Nixpy:
    """Nixpy, with the small index as its only one and caches of its own."""
    caches = tmp_path_factory.getbasetemp() / "caches"
    home = tmp_path_factory.mktemp("home")
    for name, value in {
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / "config"),
        "NIXPY_CACHE_DIR": str(caches / "nixpy"),
        "UV_CACHE_DIR": str(caches / "uv"),
        "UV_DEFAULT_INDEX": index.url,
        "UV_PYTHON": sys.executable,
        "UV_NO_SYSTEM_CONFIG": "1",
        "PIP_CONFIG_FILE": "/dev/null",
        "NO_COLOR": "1",
    }.items():
        monkeypatch.setenv(name, value)
    for name in ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "UV_INDEX", "UV_INDEX_URL", "NETRC"):
        monkeypatch.delenv(name, raising=False)
    return Nixpy(capsys, monkeypatch)
