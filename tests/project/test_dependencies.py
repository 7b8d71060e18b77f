"""What pyproject.toml asks for: extras, groups, defaults, and errors that name the line."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.requirements import Requirement

from nixpy.core.errors import NixpyError
from nixpy.core.requirement import canonical_requirement
from nixpy.core.toml_file import load_toml, parse_toml
from nixpy.project.dependencies import Dependencies

PROJECT = '[project]\nname = "Own.Name"\nversion = "1"\n'


def read(folder: Path, text: str) -> Dependencies:
    path = folder / "pyproject.toml"
    path.write_text(text)
    return Dependencies.from_pyproject(load_toml(path), path)


def selected(asked: Dependencies, *extras: str, groups: tuple[str, ...] | None = ()) -> list[str]:
    return sorted(str(requirement) for requirement in asked.select(extras, groups))


def test_project_table(tmp_path: Path) -> None:
    """Name, Python and dependencies are read; extras count only when chosen, under any spelling."""
    asked = read(
        tmp_path,
        PROJECT + 'requires-python = ">=3.11"\ndependencies = ["numpy>=2", "scipy; sys_platform == \'linux\'"]\n'
        '[project.optional-dependencies]\nFast_Math = ["mkl"]\n',
    )
    assert asked.name == "own-name"
    assert "3.12" in (asked.requires_python or ())
    assert selected(asked) == ["numpy>=2", 'scipy; sys_platform == "linux"']
    assert "mkl" in selected(asked, "fast.math")


def test_own_extras_are_expanded(tmp_path: Path) -> None:
    """Extras that name the project itself are replaced, under their marker, and a cycle ends."""
    asked = read(
        tmp_path,
        PROJECT + "[project.optional-dependencies]\n"
        'all = ["own-name[a,B_b]; python_version < \'3.13\'", "x"]\n'
        "a = [\"numpy; sys_platform == 'linux'\", \"own_name[all]; os_name == 'posix'\"]\n"
        'b-b = ["scipy"]\n'
        '[dependency-groups]\ntest = ["own-name[b-b]", "pytest", "own-name"]\n',
    )
    everywhere = selected(asked, "all")
    assert 'scipy; python_version < "3.13"' in everywhere
    assert 'numpy; python_version < "3.13" and sys_platform == "linux"' in everywhere
    assert not any("own" in text for text in everywhere)
    assert selected(asked, groups=("test",)) == ["pytest", "scipy"]


@pytest.mark.parametrize(
    ("uv", "expected"),
    [
        ("", ["pytest"]),
        ("default-groups = []", []),
        ('default-groups = ["Docs"]', ["pytest", "sphinx"]),
        ('default-groups = "all"', ["pytest", "ruff", "sphinx", "pytest"]),
        ('dev-dependencies = ["mypy"]', ["pytest", "mypy"]),
    ],
)
def test_default_groups(tmp_path: Path, uv: str, expected: list[str]) -> None:
    """Without a choice the groups are uv's: `dev`, with its older table, or those that `default-groups` lists."""
    asked = read(
        tmp_path,
        f'{PROJECT}[dependency-groups]\ndev = ["pytest"]\ndocs = ["sphinx", {{include-group = "DEV"}}]\n'
        f'lint = ["ruff"]\n[tool.uv]\n{uv}\n',
    )
    assert selected(asked, groups=None) == sorted(expected)


def test_groups_without_a_project(tmp_path: Path) -> None:
    """Dependency groups need no [project] (PEP 735), and a group that is not used may be wrong."""
    asked = read(tmp_path, '[dependency-groups]\ndev = ["numpy"]\nbroken = ["=="]\n')
    assert (asked.name, selected(asked, groups=None)) == (None, ["numpy"])


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        (PROJECT + 'dependencies = "numpy"\n', 4, "list of strings"),
        (PROJECT + "dependencies = [\n  'ok',\n  1,\n]\n", 4, "list of strings"),
        (PROJECT + "dependencies = [\n  'ok',\n  'num py',\n]\n", 6, "num py"),
        (PROJECT + "[project.optional-dependencies]\na = 'x'\n", 5, "list of strings"),
        (PROJECT + "optional-dependencies = ['x']\n", 4, "must be a table"),
        (PROJECT + "requires-python = 'three'\n", 4, "requires-python"),
        (PROJECT + "requires-python = 3\n", 4, "requires-python"),
        ('[project]\nname = "x"\ndynamic = [\n"version", "dependencies"]\n', 3, "dynamic"),
        ("[build-system]\n\n[tool.poetry]\nname = 'x'\n[tool.poetry.dependencies]\nnumpy = '*'\n", 3, "Poetry"),
        ("project = 1\n", 1, "must be a table"),
        ("[project]\nname = 'café-app'\n", 2, "`café-app` is not a valid name"),
        ("[project]\nname = ''\n", 2, "not a valid name"),
        (PROJECT + "[project.optional-dependencies]\nok = []\n'a b' = []\n", 6, "`a b` is not a valid name"),
        ("[dependency-groups]\na = []\nA = []\n", 3, "twice"),
        ("[dependency-groups]\na = 'x'\n", 2, "list"),
        (PROJECT + "[tool.uv]\ndev-dependencies = 'x'\n", 5, "list of strings"),
        (PROJECT + "[tool.uv]\ndefault-groups = 'some'\n", 5, "list of strings"),
    ],
)
def test_errors_name_the_line(tmp_path: Path, text: str, line: int, words: str) -> None:
    """A value that is not what it should be is one error with the line that sets it."""
    with pytest.raises(NixpyError, match=words) as caught:
        read(tmp_path, text)
    assert (caught.value.path, caught.value.line) == (tmp_path / "pyproject.toml", line)


@pytest.mark.parametrize(
    ("groups", "line", "words"),
    [
        ("dev = ['ok']\nx = [{include-group = 'y'}]\ny = [{include-group = 'x'}]\n", 6, "yclic"),
        ("x = ['=='] # here\n", 5, "x"),
        ("x = [{include = 'y'}]\n", 5, "include"),
        ("x = [{include-group = 'gone'}]\n", 5, "gone"),
        ("y = []\n", 4, "no dependency group `x`"),
    ],
)
def test_wrong_groups(tmp_path: Path, groups: str, line: int, words: str) -> None:
    """A group that is used and wrong, or missing, is an error with its line."""
    asked = read(tmp_path, f"{PROJECT}[dependency-groups]\n{groups}")
    with pytest.raises(NixpyError, match=words) as caught:
        asked.select(groups=("x",))
    assert (caught.value.path, caught.value.line) == (tmp_path / "pyproject.toml", line)
    assert caught.value.hint


def test_unknown_extra_names_the_others(tmp_path: Path) -> None:
    """An extra that does not exist is an error that lists those that do."""
    asked = read(tmp_path, PROJECT + "[project.optional-dependencies]\nfast = []\n")
    with pytest.raises(NixpyError, match="slow") as caught:
        asked.select(("slow",))
    assert caught.value.hint == "Use one of fast."


PARTS = ("numpy>=2,<3", "pandas[a,b]", "scipy; python_version < '3.13'", "x @ https://index.example/x.zip")


@given(order=st.permutations(PARTS), seed=st.integers())
def test_canonical_ignores_form(order: list[str], seed: int) -> None:
    """Order, spacing and the spelling of names do not change the canonical lines."""
    rng = random.Random(seed)  # noqa: S311
    spelled = [
        text.replace("numpy>=2,<3", rng.choice(["NumPy <3,>=2", "numpy >= 2, < 3"])).replace(
            "pandas[a,b]", rng.choice(["Pandas[B, A]", "pandas [a,b]"])
        )
        for text in order
    ]
    path = Path("/nowhere/pyproject.toml")
    one = Dependencies.from_pyproject({"project": {"dependencies": list(PARTS)}}, path)
    other = Dependencies.from_pyproject({"project": {"dependencies": spelled}}, path)
    assert one.canonical() == other.canonical()


@pytest.mark.parametrize(
    "change",
    [
        'dependencies = ["numpy>=3"]',
        'dependencies = ["numpy>=2", "scipy"]',
        "dependencies = [\"numpy>=2; os_name == 'posix'\"]",
        'dependencies = ["numpy[x]>=2"]',
        'dependencies = ["numpy>=2"]\n[tool.uv]\nconstraint-dependencies = ["scipy<2"]',
        'dependencies = ["numpy>=2"]\n[tool.uv.sources]\nnumpy = { path = "n" }',
        'dependencies = ["numpy>=2"]\n[[tool.uv.dependency-metadata]]\nname = "numpy"\nrequires-dist = ["x"]',
    ],
)
def test_canonical_sees_every_change(change: str) -> None:
    """A changed version, marker, extra, source or constraint changes the canonical lines."""
    path = Path("/nowhere/pyproject.toml")
    before = Dependencies.from_pyproject(parse_toml('[project]\ndependencies = ["numpy>=2"]', path), path)
    after = Dependencies.from_pyproject(parse_toml("[project]\n" + change, path), path)
    assert before.canonical() != after.canonical()


def test_canonical_holds_no_credentials(tmp_path: Path) -> None:
    """User, password and query of a URL are left out, wherever the URL stands."""
    asked = read(
        tmp_path,
        PROJECT + 'dependencies = ["x @ https://u:hunter2@index.example/x.zip?sig=hunter2#sha256=ab"]\n'
        '[tool.uv.sources]\ny = { git = "https://hunter2@index.example/y.git", tag = "v1" }\n',
    )
    assert "hunter2" not in repr(asked.canonical())
    assert canonical_requirement(Requirement("A.b [C,d] <2,>=1")) == "a-b[c,d]<2,>=1"


def _chain(depth: int, item: str) -> str:
    """Return TOML in which each name lists the next one twice."""
    lines = [f"g{n} = [{item.format(n + 1)}, {item.format(n + 1)}]" for n in range(depth)]
    return "\n".join([*lines, f'g{depth} = ["six"]']) + "\n"


def test_each_extra_is_walked_once(tmp_path: Path) -> None:
    """Extras that name each other twice take no longer than those that do so once, and give the same."""
    asked = read(tmp_path, f"{PROJECT}[project.optional-dependencies]\n" + _chain(60, '"own-name[g{}]"'))
    assert set(selected(asked, "g0")) == {*selected(asked), "six"}


def test_each_group_is_walked_once(tmp_path: Path) -> None:
    """Groups that include each other twice take no longer than those that do so once, and give the same."""
    asked = read(tmp_path, f"{PROJECT}[dependency-groups]\n" + _chain(60, '{{include-group = "g{}"}}'))
    assert set(selected(asked, groups=("g0",))) == {*selected(asked), "six"}


@pytest.mark.parametrize(
    ("table", "item", "extras", "groups"),
    [
        ("project.optional-dependencies", '"own-name[g{}]"', ("g0",), ()),
        ("dependency-groups", '{{include-group = "g{}"}}', (), ("g0",)),
    ],
)
def test_long_chains(tmp_path: Path, table: str, item: str, extras: tuple[str, ...], groups: tuple[str, ...]) -> None:
    """A chain of more extras or groups than the limit is an error with its line."""
    asked = read(tmp_path, f"{PROJECT}[{table}]\n" + _chain(3_000, item))
    with pytest.raises(NixpyError, match="100") as caught:
        asked.select(extras, groups)
    assert (caught.value.path, bool(caught.value.hint)) == (tmp_path / "pyproject.toml", True)
    assert caught.value.line


@pytest.mark.slow
def test_extras_under_many_markers(tmp_path: Path) -> None:
    """Extras that lead to each other under more markers than the limit are an error."""
    lines = [
        f"g{n} = [\"own-name[g{n + 1}]; sys_platform == 'a{n}'\", \"own-name[g{n + 1}]; sys_platform == 'b{n}'\"]"
        for n in range(20)
    ]
    asked = read(tmp_path, f"{PROJECT}[project.optional-dependencies]\n" + "\n".join([*lines, "g20 = []"]))
    with pytest.raises(NixpyError, match="10,000 combinations of extra and marker"):
        asked.select(("g0",))
