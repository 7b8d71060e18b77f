"""What every test may use: a small index on loopback, and nixpy that knows no other."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Generator, Iterator

import hypothesis
import pytest

import shop
from newprojects import NewProjects
from nixpy.styles import promises, styles
from runner import Nixpy
from smallindex import SmallIndex

# A slow machine is no failure; and CI tries the same cases for the same commit.
hypothesis.settings.register_profile(
    "nixpy",
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow, hypothesis.HealthCheck.function_scoped_fixture],
    derandomize=bool(os.environ.get("CI")),
    print_blob=True,
)
hypothesis.settings.load_profile("nixpy")


# How each test of this run ended, for those that judge the others.
OUTCOMES = pytest.StashKey[dict[str, str]]()
# What each test of this run saw of styles: (style, need, whether it is served).
SEEN = pytest.StashKey[dict[str, set[tuple[str, str, bool | str]]]]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[OUTCOMES] = {}
    config.stash[SEEN] = {}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    outcomes = item.config.stash[OUTCOMES]
    if report.when == "call" or report.outcome != "passed":
        outcomes[item.nodeid] = report.outcome
    return report


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put what judges the other tests behind them."""
    items.sort(key=lambda item: item.get_closest_marker("last") is not None)


@pytest.fixture
def outcomes_of(request: pytest.FixtureRequest) -> Callable[[str], dict[str, str]]:
    """How each form of a proof, a test by the beginning of its node id, ended in this run; skips where it is no part of
    the run, unless that is the whole.
    """
    config = request.config

    def outcomes_of(proof: str) -> dict[str, str]:
        found = {name: outcome for name, outcome in config.stash[OUTCOMES].items() if name.startswith(proof)}
        whole = not (config.option.keyword or config.option.markexpr) and config.args == config.getini("testpaths")
        if not found and not whole:
            pytest.skip("only a part of the tests was run, and the proof is not in it")
        return found

    return outcomes_of


@pytest.fixture
def saw(request: pytest.FixtureRequest) -> Callable[[str, str, bool | str], None]:
    """Notes whether, or by what alone, the test saw a style serve a need; AssertionError where that is not promised."""

    def saw(style: str, need: str, served: bool | str) -> None:
        request.config.stash[SEEN].setdefault(request.node.nodeid, set()).add((style, need, served))
        assert served == promises.find(need).promised(styles.find(style)), (style, need, served)

    return saw


@pytest.fixture
def seen_by(request: pytest.FixtureRequest) -> Callable[[str], set[tuple[str, str, bool | str]]]:
    """What the forms of a proof, a test by the beginning of its node id, saw of styles in this run."""
    seen = request.config.stash[SEEN]
    return lambda proof: set().union(*(found for name, found in seen.items() if name.startswith(proof)))


@pytest.fixture(scope="session")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallIndex]:
    """The shop's wheels, served on loopback."""
    with SmallIndex(shop.stock(tmp_path_factory.mktemp("shop"))) as index:
        yield index


@pytest.fixture(scope="session")
def new_projects(tmp_path_factory: pytest.TempPathFactory) -> NewProjects:
    """What `nixpy new` makes."""
    return NewProjects(tmp_path_factory.mktemp("new"))


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
