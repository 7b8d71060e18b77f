"""Index settings: what uv and pip were told is understood as they understand it, and kept secret."""

from __future__ import annotations

import base64
import itertools
import json
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote, unquote

import pytest
import uv
from hypothesis import given
from hypothesis import strategies as st

from nixpy.core.errors import NixpyError
from nixpy.index import config_files
from nixpy.index.config_files import pip_indexes
from nixpy.index.settings import IndexSettings, Login, same_server
from smallindex import SmallIndex, build_wheel

INDEX = "https://index.example/simple/"


@pytest.fixture(autouse=True)
def _no_machine_wide_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(config_files, "_SYSTEM", Path("/nonexistent"))


def load(home: Path, **environ: str) -> IndexSettings:
    return IndexSettings.load(home / "project", _environ(home, **environ))


def _environ(home: Path, **environ: str) -> dict[str, str]:
    (home / "project").mkdir(parents=True, exist_ok=True)
    return {"HOME": str(home), "XDG_CONFIG_DIRS": str(home / "xdg"), **environ}


def _write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def test_nothing_configured(tmp_path: Path) -> None:
    """Without settings uv is left alone, nobody gets a login, and the system's certificates hold."""
    settings = load(tmp_path)
    assert settings.uv_environment() == {}
    assert settings.auth(INDEX + "x.whl") is None
    assert settings.certificates is settings.client_certificate is None


PIP = """
import json, os, sys
from pip._internal.commands import create_command
from pip._internal.models.index import PyPI
found = []
for environ in json.load(sys.stdin):
    os.environ.clear()
    os.environ.update(environ)
    url = create_command("install").parser.get_default_values().index_url
    found.append(None if url == PyPI.simple_url else url)
json.dump(found, sys.stdout)
"""


def test_pip_files_are_merged_as_pip_merges_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """For every set of pip's files, sections and variables the index that wins is the one pip itself takes."""
    places = {
        "xdg/pip/pip.conf": "[global]\nindex-url = https://index.example/global\n",
        ".pip/pip.conf": "[install]\nindex_url = https://index.example/legacy\n",
        ".config/pip/pip.conf": "[global]\nindex-url = https://index.example/user\n",
        "explicit.conf": "[global]\n--index-url: https://index.example/explicit\n",
    }
    variables = [
        {},
        {"PIP_INDEX_URL": "https://index.example/variable"},
        {"PIP_CONFIG_FILE": "/dev/null"},
        {"PIP_INDEX_URL": ""},
    ]
    monkeypatch.undo()  # pip cannot be kept from looking into /etc
    environs = []
    for number, chosen in enumerate(itertools.product([False, True], repeat=4)):
        home = tmp_path / str(number)
        for (path, text), use in zip(places.items(), chosen, strict=True):
            if use:
                _write(home / path, text)
        explicit = {"PIP_CONFIG_FILE": str(home / "explicit.conf")} if number % 2 else {}
        environs += [_environ(home, **{**explicit, **more}) for more in variables]
    answer = subprocess.run(
        [sys.executable, "-c", PIP], input=json.dumps(environs), capture_output=True, text=True, check=True
    )
    ours = [pip_indexes(Path(environ["HOME"]) / "project", environ).index_url for environ in environs]
    assert ours == json.loads(answer.stdout)
    assert {url.rpartition("/")[2] for url in ours if url} >= {"global", "legacy", "user", "explicit", "variable"}


def test_the_environments_own_pip_conf_counts(tmp_path: Path) -> None:
    """A pip.conf in the project's .venv, or the active one, wins over the user's."""
    _write(tmp_path / ".config/pip/pip.conf", "[global]\nindex-url = https://index.example/user\n")
    _write(tmp_path / "project/.venv/pip.conf", "[global]\nindex-url = https://index.example/venv\n")
    assert load(tmp_path).uv_environment() == {"UV_DEFAULT_INDEX": "https://index.example/venv"}
    _write(tmp_path / "other/pip.conf", "[global]\nindex-url = https://index.example/active\n")
    active = load(tmp_path, VIRTUAL_ENV=str(tmp_path / "other"))
    assert active.uv_environment() == {"UV_DEFAULT_INDEX": "https://index.example/active"}


def test_uv_gets_what_pip_has(tmp_path: Path) -> None:
    """Index, extra indexes, links and certificates of pip become uv's; folders that are not there are left out."""
    (tmp_path / "wheels").mkdir()
    (tmp_path / "project" / "near").mkdir(parents=True)
    _write(
        tmp_path / ".config/pip/pip.conf",
        f"""
        [global]
        index-url = {INDEX}
        extra-index-url =
            https://one.example/simple
            file://{tmp_path}/gone
            file://{tmp_path}/wheels
        find-links = {tmp_path}/wheels near gone
        cert = /certificates.pem
        client-cert = /client.pem
        """.replace("        ", ""),
    )
    expected = {
        "UV_DEFAULT_INDEX": INDEX,
        "UV_INDEX": f"https://one.example/simple file://{tmp_path}/wheels",
        "UV_INDEX_STRATEGY": "unsafe-best-match",
        "UV_FIND_LINKS": f"{tmp_path}/wheels,{tmp_path}/project/near",
        "SSL_CERT_FILE": "/certificates.pem",
        "SSL_CLIENT_CERT": "/client.pem",
    }
    # pip's own continuation lines are indented; the rest of the file must not be.
    path = tmp_path / ".config/pip/pip.conf"
    path.write_text(path.read_text().replace("\n    https", "\n  https").replace("\n    file", "\n  file"))
    settings = load(tmp_path)
    assert settings.uv_environment() == expected
    assert settings.certificates == Path("/certificates.pem")
    assert settings.client_certificate == Path("/client.pem")
    assert load(tmp_path, UV_INDEX_STRATEGY="first-index").uv_environment()["UV_INDEX_STRATEGY"] == "first-index"


UV_OWN: dict[str, dict[str, str]] = {
    "default variable": {"UV_DEFAULT_INDEX": INDEX},
    "index variable": {"UV_INDEX": f"mine={INDEX}"},
    "old variable": {"UV_INDEX_URL": INDEX},
    "links variable": {"UV_FIND_LINKS": "/wheels"},
    "pyproject": {"project/pyproject.toml": f'[[tool.uv.index]]\nurl = "{INDEX}"'},
    "uv.toml": {"project/uv.toml": f'index-url = "{INDEX}"'},
    "uv pip table": {"project/uv.toml": f'[pip]\nextra-index-url = ["{INDEX}"]'},
    "folder above": {"pyproject.toml": f'[tool.uv]\nindex-url = "{INDEX}"', "project/pyproject.toml": "[project]"},
    "workspace": {
        "pyproject.toml": f'[tool.uv]\nindex-url = "{INDEX}"\n[tool.uv.workspace]\nmembers = ["project"]',
        "project/pyproject.toml": "[tool.uv]\npackage = true",
    },
    "user": {".config/uv/uv.toml": f'index-url = "{INDEX}"'},
    "system": {"xdg/uv/uv.toml": f'index-url = "{INDEX}"'},
}


@pytest.mark.parametrize("own", UV_OWN.values(), ids=UV_OWN)
def test_uv_settings_of_its_own_win(tmp_path: Path, own: dict[str, str]) -> None:
    """Where uv has an index, pip's are not forced upon it; its certificates are another question."""
    pip = {"PIP_INDEX_URL": "https://pip.example/simple", "PIP_CERT": "/pip.pem"}
    files = {name: text for name, text in own.items() if not name.isupper()}
    for name, text in files.items():
        _write(tmp_path / name, text)
    variables = {name: text for name, text in own.items() if name.isupper()}
    assert load(tmp_path, **pip, **variables).uv_environment() == {"SSL_CERT_FILE": "/pip.pem"}
    if files:
        ignoring = load(tmp_path, **pip, UV_NO_CONFIG="1")
        assert ignoring.uv_environment()["UV_DEFAULT_INDEX"] == pip["PIP_INDEX_URL"]


@pytest.mark.parametrize(
    "own", [{"SSL_CERT_FILE": "/own.pem"}, {"UV_SYSTEM_CERTS": "1"}, {"UV_NATIVE_TLS": "1"}, {"SSL_CERT_DIR": "/own"}]
)
def test_uv_certificates_of_its_own_win(tmp_path: Path, own: dict[str, str]) -> None:
    """Where uv knows whom to trust, pip's certificates are not forced upon it."""
    assert load(tmp_path, PIP_CERT="/pip.pem", **own).uv_environment() == {}
    _write(tmp_path / "project/uv.toml", "system-certs = true")
    assert load(tmp_path, PIP_CERT="/pip.pem").uv_environment() == {}


def test_uv_really_finds_what_pip_would(tmp_path: Path) -> None:
    """With nothing but pip's settings, uv resolves from a private index, an extra index and a folder of wheels."""
    build_wheel(tmp_path / "main", "alpha", "1.0", requires=["beta", "gamma"])
    build_wheel(tmp_path / "extra", "beta", "2.0")
    build_wheel(tmp_path / "main", "beta", "3.0")
    build_wheel(tmp_path / "links", "gamma", "4.0")
    with (
        SmallIndex(tmp_path / "main", auth=("us er", "p@ss:w/rd")) as main,
        SmallIndex(tmp_path / "extra", auth=("other", "secret")) as extra,
    ):
        pip = {
            "PIP_INDEX_URL": main.url_with_credentials,
            "PIP_EXTRA_INDEX_URL": f"{extra.url_with_credentials} file:///gone/simple",
            "PIP_FIND_LINKS": f"{tmp_path}/links {tmp_path}/gone",
        }
        environ = _environ(tmp_path, **pip)
        settings = IndexSettings.load(tmp_path / "project", environ)
        environ |= settings.uv_environment() | {"UV_CACHE_DIR": str(tmp_path / "cache"), "UV_PYTHON_DOWNLOADS": "never"}
        command = [uv.find_uv_bin(), "pip", "compile", "-q", "--no-header", "--no-annotate", "--python", sys.executable]
        found = subprocess.run(
            [*command, "-"], input="alpha", capture_output=True, text=True, env=environ, cwd=tmp_path, check=False
        )
        assert found.stdout.split() == ["alpha==1.0", "beta==3.0", "gamma==4.0"], found.stderr
        assert settings.auth(main.file_url("alpha-1.0-py3-none-any.whl")) == basic("us er", "p@ss:w/rd")
        assert settings.auth(extra.file_url("beta-2.0-py3-none-any.whl")) == basic("other", "secret")


def test_the_nearest_login_is_taken(tmp_path: Path) -> None:
    """The URL's own login, else that of the index with the longest common path, else netrc's; all by server."""
    _write(
        tmp_path / ".netrc",
        "machine index.example login net password rc\nmachine other.example login o password p\n"
        "default login d password q\n",
    )
    settings = load(
        tmp_path,
        UV_INDEX="https://a:1@index.example/team-a/simple https://b:2@index.example/team-b/simple "
        "https://index.example/open/",
        PIP_EXTRA_INDEX_URL="https://tok%25en@port.example:8443/simple",
    )
    wheel = "files/x.whl"
    assert settings.auth(f"https://c:3%40@index.example/team-a/{wheel}") == basic("c", "3@")
    assert settings.auth(f"https://index.example/team-a/{wheel}") == basic("a", "1")
    assert settings.auth(f"https://index.example/team-b/{wheel}") == basic("b", "2")
    assert settings.auth(f"https://INDEX.example:443/team-b/{wheel}") == basic("b", "2")
    assert settings.auth(f"https://index.example/open/{wheel}") == basic("net", "rc")
    assert settings.auth(f"https://other.example/{wheel}") == basic("o", "p")
    assert settings.auth(f"https://port.example:8443/{wheel}") == basic("tok%en", "")
    assert settings.auth(f"https://port.example/{wheel}") == basic("d", "q")
    assert settings.auth("file:///x.whl") is None


@pytest.mark.parametrize("text", ["machine", "machine x login", "\xff", "macdef"])
def test_a_netrc_that_cannot_be_read_is_passed_over(tmp_path: Path, text: str) -> None:
    """A damaged netrc stops nobody from using a public index, as with uv and pip."""
    (tmp_path / "netrc").write_bytes(text.encode("latin-1"))
    assert load(tmp_path, NETRC=str(tmp_path / "netrc")).auth(INDEX) is None


@pytest.mark.parametrize(
    ("text", "line"),
    [("[global]\nindex-url\n  = s3cr3t\n", 2), ("index-url = https://u:s3cr3t@index.example", 1), ("[a]\n[a]\n", 2)],
)
def test_a_damaged_pip_conf_is_named_and_not_quoted(tmp_path: Path, text: str, line: int) -> None:
    """An error in pip.conf names the file and the line, but not what stands there."""
    path = _write(tmp_path / ".config/pip/pip.conf", text)
    with pytest.raises(NixpyError) as caught:
        load(tmp_path)
    assert (caught.value.path, caught.value.line) == (path, line)
    assert "s3cr3t" not in str(caught.value)


def test_a_damaged_uv_toml_is_named(tmp_path: Path) -> None:
    """An error in uv.toml names the file and the line."""
    path = _write(tmp_path / "project/uv.toml", "a = 1\nb = = 2\n")
    with pytest.raises(NixpyError) as caught:
        load(tmp_path)
    assert (caught.value.path, caught.value.line) == (path, 2)


def test_what_is_not_a_setting_is_passed_over(tmp_path: Path) -> None:
    """Settings of the wrong type are uv's to complain about."""
    for text in ("index = 1", "index = [1]", "index-url = 1", "[[index]]\nname = 1", "pip = 1"):
        _write(tmp_path / "project/uv.toml", text)
        assert load(tmp_path).auth(INDEX) is None


word = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=4, max_size=12).filter(lambda w: w.strip() == w)
passwords = word.filter(lambda w: w not in "***@UV_INDEX https://index.example/simple/ the server said: and not found")


@given(user=word, password=passwords)
def test_redacted_text_holds_no_password(user: str, password: str) -> None:
    """Whatever the password, and however it is spelled in a text, it is gone after redaction."""
    environ = {"UV_DEFAULT_INDEX": f"https://{quote(user, safe='')}:{quote(password, safe='')}@index.example/simple/"}
    settings = IndexSettings.load(Path("/nowhere"), {"HOME": "/nowhere", "XDG_CONFIG_DIRS": "/nowhere", **environ})
    header = settings.auth(INDEX)
    assert header == basic(user, password)
    text = f"the server said: {password} {quote(password)} {header} and {environ['UV_DEFAULT_INDEX']} not found"
    clean = settings.redact(text)
    for spelling in {password, quote(password, safe=""), quote(password), header.split()[1]}:
        assert spelling not in clean
    assert clean.startswith("the server said: ")
    assert password not in repr(settings) or password in repr(IndexSettings())


def test_any_login_in_a_url_is_redacted() -> None:
    """Also a login nobody configured is taken out of a text."""
    text = "fetching https://me:pw@index.example/x and http://token@other.example, not git@host or a@b"
    clean = "fetching https://***@index.example/x and http://***@other.example, not git@host or a@b"
    assert IndexSettings().redact(text) == clean


@pytest.mark.parametrize("user", ["a", "us", ""])
@pytest.mark.parametrize("password", ["e", "ab", "%40"])
def test_short_logins_are_redacted_in_urls_only(tmp_path: Path, user: str, password: str) -> None:
    """A login that is shorter than a word is removed from each URL, and the same letters elsewhere stay."""
    login = f"{user}:{password}@"
    settings = load(tmp_path, UV_DEFAULT_INDEX=f"https://{login}index.example/simple/")
    assert settings.auth(INDEX) == basic(user, unquote(password))
    words = "a table about @ and e"
    text = f"{words}: `https://{login}index.example/simple/` and (http://{login}other.example)"
    assert settings.redact(text) == f"{words}: `https://***@index.example/simple/` and (http://***@other.example)"


def test_login_in_a_path_is_redacted() -> None:
    """An address without a scheme is a path for uv, which removes one of its slashes."""
    text = "no directory: /user:pw@host/links, //token@host/links, /tmp/a@b/c:d and /nix/store/x@1:2"
    clean = "no directory: /***@host/links, //***@host/links, /tmp/a@b/c:d and /nix/store/x@1:2"
    assert IndexSettings().redact(text) == clean


def test_servers_are_told_apart() -> None:
    """Scheme, host and port make a server; the default port may be left out."""
    assert same_server("https://index.example/a", "https://u@INDEX.example:443/b")
    assert not same_server("https://index.example", "http://index.example")
    assert not same_server("https://index.example", "https://index.example:8443")
    assert not same_server("https://index.example", "https://index.example.evil")


def test_a_login_does_not_show() -> None:
    """The representation of a login tells nothing."""
    assert repr(Login(user="me", password="s3cr3t")) == "Login()"


@pytest.mark.parametrize("key", ["PIP_CERT", "PIP_CLIENT_CERT", "PIP_FIND_LINKS"])
def test_home_folder_of_an_unknown_user(tmp_path: Path, key: str) -> None:
    """A path of pip's settings below a home folder that does not exist is an error that names the path."""
    with pytest.raises(NixpyError, match="~nosuchuser/x") as caught:
        IndexSettings.load(tmp_path, {"HOME": str(tmp_path), key: "~nosuchuser/x"})
    assert caught.value.hint
