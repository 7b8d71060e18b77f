"""The Nix library in templates/nix, applied to facts by real Nix: every style, every output, every release."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from nixos.derivations import VALUES
from nixos.nixlint import unused
from nixos.nixtree import shell_parts
from nixos.realnix import CURRENT, HERE, RELEASES, SYSTEMS, Nix, NixError, stand_in, stub, warnings
from nixos.rfc166 import violations
from nixpy.environment.facts import COMMON
from nixpy.files.render import nix_file
from nixpy.styles.styles import Style, find, styles

LIBRARY = HERE.parents[1] / "templates/nix"
CASES = HERE / "library"
STYLES = [style.name for style in styles()]
# Where one release and system will do.
ONE_PLACE = ("26.05", SYSTEMS[0])
OUTPUTS = {"apps", "checks", "homeModule", "libraries", "nixosModule", "packages", "python", "shell"}

# The facts that make no difference to a style, and why. Any other that makes none is lost on its way.
UNREAD = {
    # The root's own loader knows the folder of the driver, and conda's packages ask for it by themselves.
    **{style: {"driver", "external.opened"} for style in ("conda", "fhs", "micromamba")},
    # What is opened is among the sonames, where this Python looks anyway.
    **{
        style: {"external.opened"}
        for style in ("loader", "nix-ld", "nix-ld-interpreter", "overridden-python", "wrapped-python")
    },
    # The driver and what is opened are among its own facts.
    "patched-venv": {"driver", "external.opened"},
    # The driver is among the overrides. Its stub does not look at extras.
    "poetry2nix": {"driver", "external.opened", "extras"},
    # All is nixpkgs'. `unmapped` is for an error, and `version` for a project that does not say its own.
    "pyproject-nix": {"driver", "unmapped", "version"},
    # The driver is among the overrides. It has uv in its shell anyway.
    "uv2nix": {"driver", "external.opened", "manager.package"},
    # The project is a part of an environment, which has no description and brings the dependencies.
    "wheel-env": {"own.description", "own.homepage", "own.modules", "own.requires"},
}


def on(release: str, system: str, library: Path = LIBRARY) -> str:
    """Return the expression of cases.nix for a release and a system."""
    names = sorted(path.parent.name for path in HERE.glob("stubs/*/flake.nix"))
    stubs = " ".join(f"{name} = {stub(name)};" for name in names)
    return f"""(import {CASES}/cases.nix {{
        library = {library};
        nixpkgs = {stand_in(release)};
        system = {json.dumps(system)};
        stubs = {{ {stubs} }};
        valuesOf = {VALUES};
    }})"""


@dataclass(frozen=True)
class Evaluated:
    """What cases.nix has, `values` for each release and system, and what Nix wrote to stderr."""

    values: Mapping[str, Mapping[str, Mapping[str, Mapping[str, str]]]]  # where, style, case and output
    arguments: Mapping[str, Mapping[str, Mapping[str, bool]]]
    names: Mapping[str, Mapping[str, Mapping[str, Any]]]
    matters: Mapping[str, Mapping[str, Mapping[str, bool]]]
    stderr: str


@pytest.fixture(scope="module")
def evaluated(real_nix: Nix) -> Evaluated:
    """All that these tests compare, evaluated in one call."""
    wheres = {f"{release} {system}": on(release, system) for release in RELEASES for system in SYSTEMS}
    values = " ".join(f"{json.dumps(where)} = {case}.values;" for where, case in wheres.items())
    one = f"inherit ({on(*ONE_PLACE)}) arguments names matters;"
    expression = f"{{ {one} values = {{ {values} }}; }}"
    done = real_nix.run("nix-instantiate", "--eval", "--strict", "--json", "-", stdin=expression)
    return Evaluated(**json.loads(done.stdout), stderr=done.stderr)


def unread(cases: Mapping[str, Mapping[str, bool]]) -> set[str]:
    """Return the facts that make a difference in no case, for `matters` of a style in cases.nix."""
    pairs = {pair for case in cases.values() for pair in case.items()}
    # nixpkgs' marks decide whether a package is evaluated, and never what it is.
    return {name for name, _ in pairs} - {name for name, matters in pairs if matters} - {"allow-marked"}


def refusal(style: str, facts: str, *, kind: str = "full", library: Path = LIBRARY) -> str:
    """Return the error with which Nix refuses a case, `facts` being a function that changes its facts."""
    case = on(*ONE_PLACE, library)
    with pytest.raises(NixError) as error:
        CURRENT.eval_json(f"let case = {case}; in case.valuesOf (({facts}) case.cases.{style}.{kind})")
    return str(error.value)


def test_the_cases_are_complete(evaluated: Evaluated) -> None:
    """There are facts for each style. `minimal` has those that it needs and no others; the other cases together have
    all that it takes, and all those of every style, each with all its parts, and all features.
    """
    names, arguments = evaluated.names, evaluated.arguments
    assert names.keys() == set(STYLES)
    for style, cases in names.items():
        takes = arguments["styles"][style]
        needed = {name for name, default in takes.items() if not default}
        assert set(cases["minimal"]["facts"]) == needed | {"digest", "interpreter", "style"}, style
        full = [case for kind, case in cases.items() if kind not in ("bare", "minimal")]
        assert set().union(*(case["facts"] for case in full)) == takes.keys() | COMMON, style
        for case in full:
            assert set(case["plain"]["features"]) == {path.stem for path in (LIBRARY / "features").iterdir()}
            assert set(case["parts"]["shell"]) == shell_parts(LIBRARY)
            for fact in case["parts"].keys() - {"shell"}:
                assert set(case["parts"][fact]) == arguments["sets"][fact].keys(), (style, fact)


@pytest.mark.parametrize("style", styles(), ids=lambda style: style.name)
def test_nixpy_and_nix_agree_on_the_facts_of_a_style(style: Style, evaluated: Evaluated) -> None:
    """The facts that nixpy has for a style are the arguments of its function, as Nix itself tells, and those that must
    be there are those without a default.
    """
    arguments = evaluated.arguments["styles"][style.name]
    assert style.facts == {name: not default for name, default in arguments.items()}


@pytest.mark.parametrize("style", STYLES)
def test_every_output_evaluates_on_every_release(style: str, evaluated: Evaluated) -> None:
    """With the fewest facts and with all, every output of a style evaluates on every release and every system: each is
    the path of a derivation, or the text of an app or module.
    """
    for where, found in evaluated.values.items():
        assert len(found[style]) >= 2
        for kind, values in found[style].items():
            assert {name.partition(".")[0] for name in values} >= OUTPUTS - {"apps"}, (where, kind)
            assert json.loads(values["others"]) == (["wrap"] if style == "nix-ld" else []), (where, kind)
            for name, value in values.items():
                derivation = name.startswith(("python", "libraries", "shell", "packages.", "checks.", "wrap"))
                assert not derivation or value.endswith(".drv"), (where, kind, name)
        minimal, full = found[style]["minimal"], found[style]["full"]
        assert full.keys() >= minimal.keys() | {"checks.external"}, where
        assert full["shell"] != minimal["shell"], where


def test_nothing_warns(evaluated: Evaluated) -> None:
    """No evaluation of a style warns, on any release."""
    assert warnings(evaluated.stderr) == []


@pytest.mark.parametrize("style", STYLES)
def test_every_fact_makes_a_difference(style: str, evaluated: Evaluated) -> None:
    """Without any one of its optional facts, or any part of one, some output of a style is another."""
    assert unread(evaluated.matters[style]) == UNREAD.get(style, set())


@pytest.mark.parametrize("style", STYLES)
def test_a_fact_that_a_style_does_not_take_is_refused(style: str) -> None:
    """Nix refuses a fact that the style does not know, or one that is misspelt, and names it."""
    said = refusal(style, "facts: facts // { superfluous = 1; }", kind="minimal")
    assert "called with unexpected argument 'superfluous'" in said
    assert f"/styles/{style}.nix" in said
    # One of its own, or one of every style's, which then is none.
    name = max(find(style).facts, default="sonames")
    said = refusal(style, f'facts: removeAttrs facts [ "{name}" ] // {{ {name}s = facts.{name}; }}')
    assert f"argument '{name}s'" in said or f"required argument '{name}'" in said


NEEDED = [
    *((style.name, name) for style in styles() for name, needed in style.facts.items() if needed),
    *(("loader", name) for name in ("digest", "interpreter", "style")),
]


@pytest.mark.parametrize(("style", "name"), NEEDED)
def test_a_missing_fact_is_refused(style: str, name: str) -> None:
    """Nix refuses facts of which one that is needed is missing, and names it."""
    said = refusal(style, f'facts: removeAttrs facts [ "{name}" ]')
    assert any(words in said for words in (f"required argument '{name}'", f"`{name}` is missing", f"'{name}' missing"))


PARTS = {
    "external": "loader",
    "manager": "loader",
    "own": "application",
    "overrides": "uv2nix",
    "wheels": "wheel-env",
}


@pytest.mark.parametrize("fact", PARTS)
def test_a_part_of_a_fact_that_is_not_known_is_refused(fact: str) -> None:
    """Nix refuses what is not known in a fact that is a set, and names it."""
    said = refusal(PARTS[fact], f"facts: facts // {{ {fact} = facts.{fact} // {{ superfluous = 1; }}; }}")
    assert "called with unexpected argument 'superfluous'" in said


def as_data(style: str, kind: str, names: Mapping[str, Any]) -> dict[str, Any]:
    """Return the facts of a case as nixpy has them, each but the plain ones as an expression that takes it from
    facts.nix.
    """
    given = f"(import {CASES}/facts.nix {{ inherit pkgs; }})"
    common = f"{given}.common.{'minimal' if kind == 'minimal' else 'full'}"
    own = f"{given}.{style}.{'full' if kind == 'bare' else kind}"
    data: dict[str, Any] = {}
    for fact in names["facts"]:
        path = f"{own if fact in find(style).facts else common}.{fact}"
        parts = names["parts"].get(fact)
        data[fact] = {"nix": path} if parts is None else {part: {"nix": f"{path}.{part}"} for part in parts}
    return {**data, **names["plain"]}


@pytest.fixture(scope="module")
def rendered(evaluated: Evaluated, real_nix: Nix, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The outputs of every case as nixpy renders it, with the library in the file and by an input."""
    folder = tmp_path_factory.mktemp("rendered")
    imports = []
    for style, cases in evaluated.names.items():
        for kind, names in cases.items():
            for library in ("vendored", "input"):
                file = folder / f"{style}-{kind}-{library}.nix"
                file.write_text(nix_file(as_data(style, kind, names), library))
                imports.append(f"{library}.{style}.{kind} = case.rendered {file};")
    return real_nix.eval_json(f"let case = {on(*ONE_PLACE)}; in {{ {' '.join(imports)} }}")


@pytest.mark.parametrize("library", ["vendored", "input"])
@pytest.mark.parametrize("style", STYLES)
def test_a_generated_file_has_the_same_outputs(library: str, style: str, evaluated: Evaluated, rendered: Any) -> None:
    """The text in a generated file, which has only what its facts need, gives the same outputs as the whole library,
    and so does a generated file that takes the library from an input.
    """
    assert rendered[library][style] == evaluated.values[" ".join(ONE_PLACE)][style]


@pytest.fixture
def changed(tmp_path: Path) -> Callable[[str, str, str], Path]:
    """A copy of the library in which one file has another text."""

    def changed(file: str, old: str, new: str) -> Path:
        copy = tmp_path / "nix"
        shutil.copytree(LIBRARY, copy)
        text = (copy / file).read_text()
        assert text.count(old) == 1, (file, old)
        (copy / file).write_text(text.replace(old, new))
        return copy

    return changed


MISSPELT = {
    "patched-venv": ("styles/patched-venv.nix", "    venvHook = ", "    venv_hook = ", "venv_hook"),
    "application": ("styles/application.nix", "    owner = ", "    owners = ", "owners"),
    "loader": ("own-python.nix", "shell.relink = ", "shell.relinks = ", "relinks"),
    "fhs": ("styles/fhs.nix", '      enter = "', '      enters = "', "enters"),
    "conda": ("styles/conda.nix", "    bare = ", "    bares = ", "bare"),
    "with-packages": ("styles/with-packages.nix", "    libraries = false", "    librarys = false", "librarys"),
}


@pytest.mark.parametrize("style", MISSPELT)
def test_a_misspelt_argument_is_refused(style: str, changed: Callable[[str, str, str], Path]) -> None:
    """Where a style gives the shell, or another function, an argument of a name that it does not have, Nix refuses."""
    file, old, new, name = MISSPELT[style]
    said = refusal(style, "facts: facts", library=changed(file, old, new))
    assert f"argument '{name}'" in said


def test_a_lost_fact_is_found(changed: Callable[[str, str, str], Path]) -> None:
    """A fact that a style takes and does not hand on makes no difference, which is what the test above looks for."""
    library = changed("styles/patched-venv.nix", "opened = openedSonames;", "opened = [ ];")
    cases = CURRENT.eval_json(f"{on(*ONE_PLACE, library)}.matters.patched-venv")
    assert unread(cases) == UNREAD["patched-venv"] | {"openedSonames"}


@pytest.mark.parametrize("file", sorted(CASES.glob("*.nix")), ids=lambda path: path.name)
def test_the_cases_are_formatted(file: Path) -> None:
    """The Nix of these tests follows RFC 166, and has nothing unused."""
    assert violations(file.read_text()) == []
    assert unused(file.read_text()) == []
