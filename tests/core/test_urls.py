"""Secrets leave a URL whatever it looks like, and what is no URL is an error of the file that holds it."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nixpy.core.errors import NixpyError
from nixpy.core.toml_file import load_toml
from nixpy.core.urls import file_name, file_path, plain, replace_part, shown, shown_text, split, without_login
from nixpy.index.settings import IndexSettings
from nixpy.locks import requirements
from nixpy.project.dependencies import Dependencies

MALFORMED = (
    "https://me:s3cr3t@[x",
    "https://[::1/a.zip",
    "http://index.example:port/a.zip",
    "https://index.example:99999",
)
PROJECT = '[project]\nname = "own"\nversion = "1"\n'


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("a map at https://a:b@host/a", "a map at https://${V}:b@host/${V}"),
        ("`https://u:a@host.a/map?a=a#a`, a", "`https://u:${V}@host.a/map?${V}=${V}#${V}`, a"),
        ("(http://host/a) and [http://host/a]", "(http://host/${V}) and [http://host/${V}]"),
        ("a//b is a path", "a//b is a path"),
        ("//a@host", "//${V}@host"),
    ],
)
def test_parts_of_urls_are_replaced(text: str, clean: str) -> None:
    """A part of a URL is replaced where it is whole, and nothing else of the text."""
    assert replace_part(text, "a", "${V}") == clean


def test_a_url_is_shown_without_secrets() -> None:
    """What is shown of a URL has neither login, nor query, nor fragment; without its login it keeps these."""
    url = "https://u:p@index.example:8443/a/x.whl?sig=1#sha256=2"
    assert shown(url) == "https://index.example:8443/a/x.whl"
    assert without_login(url) == "https://index.example:8443/a/x.whl?sig=1#sha256=2"
    assert plain(f"x @ {url} ; a") == "x @ https://index.example:8443/a/x.whl#sha256=2 ; a"


@pytest.mark.parametrize(
    "url",
    [
        "//u:s3cr3t@index.example/simple",
        "git+https://u:s3cr3t@index.example/a",
        "https://index.example/0123456789s3cr3t/simple",
        "https://index.example/simple#s3cr3t",
        "https://index.example/simple;id=0123456789s3cr3t",
        "https://index.example/simple?token=s3cr3t",
    ],
)
@pytest.mark.parametrize("form", ["{}", "name @@ {}", "-r {}", "--index-url={}"])
def test_a_text_is_shown_without_secrets(form: str, url: str) -> None:
    """A text that is shown because it is wrong has no secret of the URLs in it, also where the scheme is missing."""
    assert "s3cr3t" not in shown_text(form.format(url))


word = st.text(st.sampled_from("abc:@%./"), max_size=8)


@given(user=word, path=word, query=word)
def test_a_url_without_its_login_is_the_same_url(user: str, path: str, query: str) -> None:
    """Nothing but the user part goes, and it goes whole, as urllib tells the parts of the URL."""
    parts = urlsplit(url := f"https://{user.replace('/', '')}@index.example/{path}?{query}")
    assert urlsplit(without_login(url)) == parts._replace(netloc="index.example")
    assert shown(url) == f"https://index.example{parts.path}"


@given(text=st.text(st.sampled_from("ab:/@?#[] "), max_size=20))
def test_secrets_leave_whatever_it_is(text: str) -> None:
    """However odd a text is, no user part stays between `://` and the server, and taking it out never fails."""
    for clean in (
        plain(f"https://s3cr3t@{text}"),
        plain(f"//s3cr3t@{text}"),
        without_login(f"https://s3cr3t@{text}"),
        shown(f"https://s3cr3t@{text}"),
    ):
        assert "s3cr3t" not in clean


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("file:///a%20b/c.whl#sha256=1", "/a b/c.whl"),
        ("FILE://localhost/c.whl?x", "/c.whl"),
        ("file:/c.whl", "/c.whl"),
        ("file:c.whl", "c.whl"),
        ("file://[x/c.whl", "/c.whl"),
        ("https://index.example/c.whl", None),
        ("/file:/c.whl", None),
        (None, None),
    ],
)
def test_files(url: str | None, path: str | None) -> None:
    """A file URL means a path in every spelling of RFC 8089; others mean none."""
    assert file_path(url) == (path and Path(path))


def test_names() -> None:
    """The last part of a URL names the file, percent-decoded."""
    assert file_name("https://index.example/a/b%2B1.whl?x=/y#z=/w") == "b+1.whl"


@pytest.mark.parametrize("url", MALFORMED)
def test_what_is_no_url_is_an_error(url: str) -> None:
    """A server that cannot be told is one clear error without the login; other tools' addresses are left to them."""
    with pytest.raises(NixpyError, match="is not a URL") as caught:
        split(url)
    assert caught.value.hint
    assert "s3cr3t" not in str(caught.value)
    assert split("git+ssh://git@index.example:owner/repository").scheme == "git+ssh"


@pytest.mark.parametrize("url", MALFORMED)
@pytest.mark.parametrize(
    "text",
    [
        PROJECT + 'dependencies = [\n  "foo @ URL",\n]\n',
        PROJECT + '\n[project.optional-dependencies]\nx = ["foo @ URL"]\n',
        PROJECT + '\n[dependency-groups]\ndev = ["foo @ URL"]\n',
    ],
)
def test_a_malformed_url_in_pyproject_is_named(tmp_path: Path, text: str, url: str) -> None:
    """A requirement whose address is no URL is an error of its line, wherever it stands, and tells no password."""
    path = tmp_path / "pyproject.toml"
    path.write_text(text.replace("URL", url))
    with pytest.raises(NixpyError, match="is not a URL") as caught:
        Dependencies.from_pyproject(load_toml(path), path).canonical()
    number = next(n for n, line in enumerate(path.read_text().split("\n"), start=1) if "foo" in line)
    assert (caught.value.path, caught.value.line) == (path, number)
    assert caught.value.hint
    assert "s3cr3t" not in str(caught.value)


def test_a_malformed_source_is_for_uv_to_refuse(tmp_path: Path) -> None:
    """What `[tool.uv]` says is compared as it stands, credentials aside, be it right or wrong."""
    path = tmp_path / "pyproject.toml"
    path.write_text(PROJECT + '[tool.uv]\noverride-dependencies = ["foo @ https://me:s3cr3t@[x"]\n')
    (line,) = Dependencies.from_pyproject(load_toml(path), path).canonical()
    assert "foo @ https://[x" in line


@pytest.mark.parametrize("url", MALFORMED)
@pytest.mark.parametrize(
    "text",
    ["foo @ URL", "URL", "-e URL", "-i URL", "--extra-index-url URL", "-f URL", "foo @ URL ; os_name == 'x'"],
)
def test_a_malformed_url_in_requirements_is_named(tmp_path: Path, text: str, url: str) -> None:
    """An address that is no URL is an error of its line, in a requirement and in an option, and tells no password."""
    path = tmp_path / "requirements.txt"
    path.write_text("numpy\n" + text.replace("URL", "${ADDRESS}") + "\n")
    with pytest.raises(NixpyError, match="not a URL") as caught:
        requirements.read(path, environ={"ADDRESS": url}).canonical()
    assert (caught.value.path, caught.value.line) == (path, 2)
    assert caught.value.hint
    assert "s3cr3t" not in f"{caught.value}{caught.value.hint}"


def test_a_malformed_index_is_an_error(tmp_path: Path) -> None:
    """An index in the settings of uv or pip that is no URL is one clear error that quotes it without its login."""
    environ = {"HOME": str(tmp_path), "XDG_CONFIG_DIRS": str(tmp_path), "UV_INDEX": MALFORMED[0]}
    with pytest.raises(NixpyError, match=r"`https://\[x` is not a URL"):
        IndexSettings.load(tmp_path, environ)
