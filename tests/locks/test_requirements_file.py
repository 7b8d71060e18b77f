"""Requirements files are read as pip reads them, and what they mean does not depend on how they are written."""

from __future__ import annotations

import random
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from packaging.markers import Marker
from packaging.utils import canonicalize_name

from nixpy.core.errors import NixpyError
from nixpy.locks.requirements import RequirementsFile, read

A, B = "a" * 64, "b" * 64
WHEEL = "demo_pkg-1.0-py3-none-any.whl"

TRICKY = {
    "plain": "numpy\nNumPy.Ext[a,B]>=2,<3 ; python_version >= '3.9'\n\n",
    "comments": "numpy # why\n  # whole line\n#numpy2\nscipy\t# tab\n",
    "url with a fragment": f"https://index.example/{WHEEL}#sha256={A}\ndemo2 @ https://index.example/d.zip#x=1 # c\n",
    "continuation": f"numpy \\\n  ==2.0 \\\n  --hash=sha256:{A} \\\n  --hash=sha256:{B}\nscipy\n",
    "continuation ended by a comment": "numpy \\\n# ends it\nscipy\n",
    "continuation through a blank line": "numpy \\\n\nscipy\n",
    "continuation at the end": "scipy\nnumpy \\",
    "windows line ends": "numpy==1\r\nscipy \\\r\n  ==2\r\n",
    "form feed": "numpy\x0cscipy\n",
    "options that choose nothing": "--no-index\n--trusted-host index.example\n--use-feature fast-deps\n"
    "--prefer-binary\n-i https://index.example/simple\n--extra-index-url=https://index.example/more\nnumpy\n",
    "config settings": 'numpy --config-settings "a=b c" --hash=sha256:' + A + "\n",
    "short options glued": "-rmore.txt\n-cless.txt\n",
    "long options": "--requirement=more.txt\n--constraint less.txt\nnumpy\n",
    "editables": "-e ./tree\n--editable=tree[x,y]\n-e git+https://index.example/r.git@v1#egg=Remote\n",
    "local files": f"./{WHEEL}\n{WHEEL}\n./tree\n./tree[x]\n",
    "markers on addresses": f"https://index.example/a;b/{WHEEL} ; sys_platform == 'linux'\n"
    f"./{WHEEL} ; sys_platform == 'linux'\n./{WHEEL};sys_platform=='linux'\n",
    "version control": "git+https://index.example/r.git#egg=remote\nother @ git+ssh://git@index.example/r@main\n",
    "variables": "numpy==${NUMPY}\nother @ https://${TOKEN}@index.example/o.zip\n",
    "quotes in an option": "--find-links 'with space'\nnumpy\n",
}
ENVIRONMENT = {"NUMPY": "2.5", "TOKEN": "s3cret", "EMPTY": ""}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with an included file, a constraints file, a wheel and a source tree; also the working folder."""
    (tmp_path / "more.txt").write_text("pandas>=2\n")
    (tmp_path / "less.txt").write_text("numpy<3\n")
    (tmp_path / WHEEL).write_bytes(b"")
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree/pyproject.toml").write_text('[project]\nname = "tree"\nversion = "1"\n')
    monkeypatch.chdir(tmp_path)
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    return tmp_path


def write(folder: Path, text: str | bytes, name: str = "requirements.txt") -> Path:
    path = folder / name
    path.parent.mkdir(exist_ok=True, parents=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def by_pip(path: Path) -> list[tuple[Any, ...]]:
    """Return what pip's own parser makes of a file."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pip._internal.req.constructors import install_req_from_parsed_requirement
        from pip._internal.req.req_file import parse_requirements

        parsed = list(parse_requirements(str(path), session=None))  # type: ignore[arg-type]
        found = [(line, install_req_from_parsed_requirement(line)) for line in parsed]
    rows = []
    for line, pip in found:
        link = pip.link.url_without_fragment if pip.link else None
        link = link.removeprefix("git+ssh://git@") if link else None
        name = canonicalize_name(pip.req.name) if pip.req else None
        specifier = str(pip.req.specifier) if pip.req and not link else ""  # a wheel gives pip `==1.0`
        hashes = {f"{kind}:{value}" for kind, values in pip.hash_options.items() for value in values}
        number = int(line.comes_from.rpartition("line ")[2].rstrip(")"))
        marker = str(Marker(str(pip.markers))) if pip.markers else None
        rows.append(
            (
                number,
                name,
                specifier,
                frozenset(map(canonicalize_name, pip.extras)),
                marker,
                link,
                frozenset(hashes),
                line.is_editable,
                line.constraint,
            )
        )
    return sorted(rows, key=repr)


def by_us(file: RequirementsFile) -> list[tuple[Any, ...]]:
    rows = []
    for line, constraint in [(x, False) for x in file.requirements] + [(x, True) for x in file.constraints]:
        link = line.local.as_uri() if line.local else line.url
        link = link.partition("#")[0].removeprefix("git+ssh://git@") if link else None
        name = canonicalize_name(line.requirement.name) if line.requirement else None
        specifier = str(line.requirement.specifier) if line.requirement else ""
        marker = str(line.marker) if line.marker else None
        extras = {canonicalize_name(extra) for extra in line.extras}
        rows.append(
            (line.line, name, specifier, frozenset(extras), marker, link, line.hashes, line.editable, constraint)
        )
    return sorted(rows, key=repr)


@pytest.mark.parametrize("text", TRICKY.values(), ids=TRICKY)
def test_as_pip_reads_it(folder: Path, text: str) -> None:
    """Names, versions, extras, markers, addresses, hashes, editables and line numbers are those pip finds."""
    path = write(folder, text)
    assert by_us(read(path)) == by_pip(path)


@pytest.mark.parametrize(
    "raw",
    [
        b"\xef\xbb\xbfnumpy # \xc3\xa9\n",
        "numpy # é\n".encode("utf-16"),
        b"# -*- coding: latin-1 -*-\nnumpy # \xe9\n",
        b"#!x\n# vim: set fileencoding=cp1252 :\nnumpy # \x80\n",
    ],
    ids=["utf-8 mark", "utf-16 mark", "cookie", "cookie in line two"],
)
def test_encodings(folder: Path, raw: bytes) -> None:
    """A byte order mark or a PEP 263 cookie decides how a file is decoded, as in pip."""
    path = write(folder, raw)
    assert [line.requirement and line.requirement.name for line in read(path).requirements] == ["numpy"]
    assert by_us(read(path)) == by_pip(path)


def test_includes(folder: Path) -> None:
    """Nested files are relative to the file that names them, and every file read is known."""
    write(folder, "-r deep/one.txt\nnumpy\n", "all.txt")
    write(folder, "-c two.txt\n-r ../more.txt\n", "deep/one.txt")
    write(folder, "scipy<2\n", "deep/two.txt")
    file = read(folder / "all.txt")
    assert file.canonical() == ("constraint scipy<2", "numpy", "pandas>=2")
    assert {p.relative_to(folder).as_posix() for p in file.files} == {
        "all.txt", "deep/one.txt", "deep/two.txt", "more.txt",
    }  # fmt: skip


def test_local_paths_start_at_the_root(folder: Path) -> None:
    """`-e .` in requirements/dev.txt is the project, as for pip run in its root; else what lies beside the file."""
    path = write(folder, "-e .\n./beside\n", "requirements/dev.txt")
    (folder / "requirements/beside").mkdir()
    lines = read(path, root=folder).requirements
    assert [line.local for line in lines] == [folder, folder / "requirements/beside"]


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("numpy\n--unknown-option\n", 2, "unknown option"),
        ("numpy\n\n-r nowhere.txt\n", 3, "nowhere.txt"),
        ("-r requirements.txt\n", 1, "leads back"),
        ("numpy=>2\n", 1, "not a requirement"),
        ("-e\n", 1, "cannot be read"),
        ("numpy\n-e--\n", 2, "cannot be read"),
        ("-e=--\n", 1, "cannot be read"),
        ("-c=--\n", 1, "cannot be read"),
        ("--editable=--\n", 1, "cannot be read"),
        ("--find-links 'open\n", 1, "cannot be read"),
        ("numpy --hash=sha256:abc\n", 1, "not a hash"),
        (f"numpy \\\n# c\n  --hash=sha256:{A}\n", 3, "belongs to no requirement"),
        ("-r https://index.example/r.txt\n", 1, "on a server"),
        ("-r more.txt other.txt\n", 1, "text after"),
        ("ok\n\xff".encode("latin-1"), 2, "not utf-8"),
        (b"# coding: nonsense\nnumpy\n", 1, "not nonsense"),
    ],
)
def test_errors_name_file_and_line(folder: Path, text: str | bytes, line: int, words: str) -> None:
    """What cannot be read is one error with file, line, reason and remedy."""
    path = write(folder, text)
    with pytest.raises(NixpyError, match=words) as caught:
        read(path)
    assert (caught.value.path, caught.value.line) == (path, line)
    assert caught.value.hint


def test_missing_file(tmp_path: Path) -> None:
    """A requirements file that is not there is an error that names it."""
    with pytest.raises(NixpyError, match="cannot be read") as caught:
        read(tmp_path / "requirements.txt")
    assert caught.value.path == tmp_path / "requirements.txt"


def test_secrets_stay_out(folder: Path) -> None:
    """No expanded variable and no password of a URL is in a repr, a canonical line or an error."""
    text = (
        "-i https://user:hunter2@index.example/simple\n--extra-index-url https://${TOKEN}@index.example/\n"
        "a @ https://${TOKEN}@index.example/a.zip\nb @ https://user:hunter2@index.example/b.zip?sig=hunter2\n"
        "https://user:hunter2@index.example/" + WHEEL + "\ngit+https://${TOKEN}@index.example/r.git\n"
    )
    file = read(write(folder, text))
    shown = repr(file) + repr(file.canonical())
    assert "s3cret" not in shown
    assert "hunter2" not in shown
    assert file.requirements[0].url == "https://s3cret@index.example/a.zip"
    with pytest.raises(NixpyError) as caught:
        read(write(folder, "numpy=>${TOKEN} # https://user:hunter2@index.example\n"))
    assert "s3cret" not in f"{caught.value}{caught.value.hint}"
    assert "hunter2" not in f"{caught.value}{caught.value.hint}"


def test_address_with_a_secret_needs_no_secret(folder: Path) -> None:
    """The digest's line is the same where the variable of an address is unset, in CI say."""
    path = write(folder, "a @ https://${TOKEN}@index.example/a.zip ; sys_platform == 'linux'\n")
    assert read(path).canonical() == read(path, environ={}).canonical()


PARTS = (
    "numpy>=2,<3",
    "pandas[parquet,excel]==2.0",
    "scipy ; python_version >= '3.9'",
    f"pillow==1 --hash=sha256:{A} --hash=sha256:{B}",
    "-e ./tree",
    f"./{WHEEL}",
    "remote @ https://index.example/r.zip",
    "--pre",
    "-c less.txt",
    "-r more.txt",
    "--no-binary lxml",
)


def noisy(rng: random.Random, part: str) -> str:
    """Return a part spelled otherwise: spaces, comments, continuations, case, order inside the line."""
    if part.startswith("numpy"):
        part = rng.choice(["numpy>=2,<3", "NumPy <3, >=2", "numpy(>=2,<3)"])
    elif part.startswith("pandas"):
        part = rng.choice(["pandas[excel,parquet]==2.0", "Pandas [parquet, Excel] == 2.0"])
    elif part.startswith("scipy"):
        part = rng.choice(['scipy;python_version>="3.9"', "scipy  ; (python_version >= '3.9')"])
    elif part.startswith("pillow"):
        part = rng.choice([f"pillow==1 \\\n  --hash=sha256:{B} \\\n --hash sha256:{A}", part])
    elif part == "-e ./tree":
        part = rng.choice(["--editable=tree", "-e ./tree/", "-e ./more/../tree"])
    elif part.startswith("--no-binary"):
        part = rng.choice(["--no-binary=LXML", "--no-binary lxml,"])
    before = rng.choice(["", "\n", "  ", "# note\n", "\t"])
    return before + part + rng.choice(["", "  ", " # why", "\n\n", "\n   # more"])


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32), chosen=st.sets(st.sampled_from(PARTS), min_size=1))
def test_canonical_ignores_form(folder: Path, seed: int, chosen: set[str]) -> None:
    """Order, spacing, comments, continuations and spelling change nothing; leaving out any part does."""
    rng = random.Random(seed)  # noqa: S311  # no cryptography here
    parts = sorted(chosen)
    plain = read(write(folder, "\n".join(parts) + "\n", "plain.txt"))
    rng.shuffle(parts)
    other = read(write(folder, "\n".join(noisy(rng, part) for part in parts), "noisy.txt"))
    assert plain.canonical() == other.canonical()
    fewer = read(write(folder, "\n".join(parts[1:]), "fewer.txt"))
    assert fewer.canonical() != plain.canonical()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("numpy>=2", "numpy>=3"),
        ("numpy", "numpy[x]"),
        ("numpy", "numpy ; sys_platform == 'linux'"),
        (f"numpy==1 --hash=sha256:{A}", f"numpy==1 --hash=sha256:{B}"),
        ("./tree", "-e ./tree"),
        ("./tree", "./tree[x]"),
        ("x @ https://index.example/a.zip", "x @ https://index.example/b.zip"),
        ("numpy==${NUMPY}", "numpy==2.6"),
        ("-c less.txt", "-r less.txt"),
    ],
)
def test_canonical_sees_every_change(folder: Path, one: str, other: str) -> None:
    """Two files that ask for different things have different canonical lines."""
    assert read(write(folder, one)).canonical() != read(write(folder, other)).canonical()


def test_options_are_known(folder: Path) -> None:
    """Index options are collected from all files, links to folders made absolute, formats by normalised name."""
    write(folder, "--no-binary A_b,c\n--only-binary :all:\n--no-binary :none:\n--no-binary D.d\n", "deep/o.txt")
    path = write(folder, "-r deep/o.txt\n-f wheels\n-f https://index.example/l\n-i https://index.example/s\n--pre\n")
    options = read(path).options
    assert options.find_links == (str(folder / "wheels"), "https://index.example/l")
    assert (options.index_url, options.pre, options.no_index) == ("https://index.example/s", True, False)
    assert (set(options.no_binary), set(options.only_binary)) == ({"d-d"}, {":all:"})


def test_unset_variable_stays(folder: Path) -> None:
    """Only `${UPPER_CASE}` that is set and not empty is expanded; `$X`, `${lower}` and unset ones are text."""
    path = write(folder, "a @ https://index.example/${EMPTY}/${lower}/$NUMPY/${NOWHERE}/${NUMPY}.zip\n")
    environ: Mapping[str, str] = {**ENVIRONMENT, "lower": "no"}
    assert read(path, environ=environ).requirements[0].url == (
        "https://index.example/${EMPTY}/${lower}/$NUMPY/${NOWHERE}/2.5.zip"
    )


def test_a_variable_that_is_not_set_is_the_reason(folder: Path) -> None:
    """Where a line is no requirement because of a variable left as it is, the hint is to set it."""
    with pytest.raises(NixpyError) as caught:
        read(write(folder, "numpy==${NOWHERE}\n"), environ=ENVIRONMENT)
    assert caught.value.line == 1
    assert "Set its environment variable" in str(caught.value.hint)
