"""No command prints or writes what is secret in the address of an index, in netrc or in the environment."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import shop
from nixpy.cli.formats import FORMATS
from nixpy.core import limits
from runner import Nixpy
from smallindex import SmallIndex

SECRETS = ("hunter2user", "hunter2word", "hunter2path", "hunter2query", "hunter2mark")
USER, PASSWORD, PATH, QUERY, MARK = SECRETS
Change = Callable[[pytest.MonkeyPatch, Path, str], None]


def variable(name: str) -> Change:
    return lambda patch, _, url: patch.setenv(name, url)


def in_file(name: str, text: str) -> Change:
    def change(patch: pytest.MonkeyPatch, root: Path, url: str) -> None:
        patch.delenv("UV_DEFAULT_INDEX")
        with (root / name).open("a") as file:
            file.write(text.format(url=url))

    return change


def pip_conf(patch: pytest.MonkeyPatch, root: Path, url: str) -> None:
    patch.delenv("UV_DEFAULT_INDEX")
    (root.parent / "pip.conf").write_text(f"[global]\nindex-url = {url.replace('%', '%%')}\n")
    patch.setenv("PIP_CONFIG_FILE", str(root.parent / "pip.conf"))


def pip_variable(patch: pytest.MonkeyPatch, _: Path, url: str) -> None:
    patch.delenv("UV_DEFAULT_INDEX")
    patch.setenv("PIP_INDEX_URL", url)


def requirements(patch: pytest.MonkeyPatch, root: Path, url: str) -> None:
    patch.delenv("UV_DEFAULT_INDEX")
    (root / "pyproject.toml").unlink()
    (root / "requirements.txt").write_text(f"-i {url.partition('#')[0]}\nalpha\n")


WAYS: dict[str, Change] = {
    "UV_DEFAULT_INDEX": variable("UV_DEFAULT_INDEX"),
    "UV_INDEX": variable("UV_INDEX"),
    "UV_FIND_LINKS": variable("UV_FIND_LINKS"),
    "PIP_INDEX_URL": pip_variable,
    "pip.conf": pip_conf,
    "uv.toml": in_file("uv.toml", 'index-url = "{url}"\n'),
    "pyproject.toml": in_file("pyproject.toml", '[[tool.uv.index]]\nurl = "{url}"\ndefault = true\n'),
    "requirements.txt": requirements,
}


def address(server: str) -> str:
    return f"http://{USER}:{PASSWORD}@{server}/{PATH}/simple/?token={QUERY}#{MARK}"


def clean(nixpy: Nixpy, *arguments: str | Path) -> str:
    ran = nixpy(*arguments)
    said = ran.out + ran.err
    assert [secret for secret in SECRETS if secret in said] == [], said
    return said


def written(root: Path) -> str:
    names = ("nixpy.nix", "nixpy.lock", "flake.nix", ".envrc")
    return "".join((root / name).read_text() for name in names if (root / name).is_file())


@pytest.mark.slow
@pytest.mark.parametrize(("way", "guarded"), [("UV_DEFAULT_INDEX", False), *((way, True) for way in WAYS)])
def test_an_index_that_fails_shows_no_secret(
    way: str, guarded: bool, tmp_path: Path, nixpy: Nixpy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither uv's own text nor a message shows a secret of an index that cannot be reached, or refuses access."""
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    root = shop.project(tmp_path / "demo", "alpha")
    with SmallIndex(shop.stock(tmp_path / "w"), auth=("other", "word")) as index:
        server = index.url.split("/")[2] if guarded else "127.0.0.1:9"
        WAYS[way](monkeypatch, root, address(server))
        said = clean(nixpy, "init", root, "--style", "loader", "--direnv")
        assert server in said or way in ("UV_INDEX", "UV_FIND_LINKS")
        for arguments in (("sync", root), ("scan", root), ("scan", "alpha"), ("check", root), ("doctor", root)):
            for form in ("text", "json"):
                clean(nixpy, *arguments, "--format", form)
        for form in FORMATS:
            clean(nixpy, "check", root, "--diff", "--format", form)
    assert not any(secret in written(root) for secret in SECRETS)


@pytest.mark.parametrize("host", ["127.0.0.1:9", "[::1"])
def test_the_address_of_a_wheel_shows_no_secret(
    host: str, tmp_path: Path, nixpy: Nixpy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wheel whose address is signed cannot be fetched, or has no URL: neither message shows the signature."""
    monkeypatch.setattr(limits, "PAUSE", 0.0)
    root = shop.project(tmp_path / "demo", "alpha")
    token = f"{PATH}Ab0123456789"
    url = f"http://{USER}:{PASSWORD}@{host}/{token}/gamma-1.0-py3-none-any.whl?token={QUERY}#{MARK}"
    (root / "pylock.toml").write_text(
        f'lock-version = "1.0"\ncreated-by = "x"\n[[packages]]\nname = "gamma"\nversion = "1.0"\n'
        f'wheels = [{{ url = "{url}", hashes = {{ sha256 = "{"0" * 64}" }} }}]\n'
    )
    for command in ("init", "sync", "scan"):
        clean(nixpy, command, root)
        clean(nixpy, command, root, "--format", "json")
    for form in FORMATS:
        clean(nixpy, "check", root, "--diff", "--format", form)
    assert not any(secret in written(root) for secret in SECRETS)


def test_a_login_of_netrc_is_not_shown(tmp_path: Path, nixpy: Nixpy, monkeypatch: pytest.MonkeyPatch) -> None:
    """An index that refuses the login of netrc is an error without it."""
    root = shop.project(tmp_path / "demo", "alpha")
    (tmp_path / "netrc").write_text(f"machine 127.0.0.1 login {USER} password {PASSWORD}\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with SmallIndex(shop.stock(tmp_path / "w"), auth=("other", "word")) as index:
        monkeypatch.setenv("UV_DEFAULT_INDEX", index.url)
        for command in ("init", "sync", "scan"):
            clean(nixpy, command, root)
