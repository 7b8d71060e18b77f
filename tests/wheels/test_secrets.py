"""No credential reaches an output, a file or a log, whatever goes right or wrong."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from nixpy.core.errors import NixpyError
from nixpy.index.settings import IndexSettings
from nixpy.locks.model import LockedWheel
from nixpy.wheels.cache import Cache
from nixpy.wheels.gather import gather
from smallindex import SmallIndex
from wheels.samples import locked, mostly_data, mostly_elf

SECRET = "s3cr3t"
SPELLINGS = (SECRET, "czNjcjN0", "OnMzY3IzdA", "dXNlcjpzM2NyM3Q")  # plain, and base64 at any offset of "user:s3cr3t"


def _settings(folder: Path, index: SmallIndex, way: str) -> IndexSettings:
    """Write the login where users write it, and load the settings from there."""
    folder.mkdir()
    environ = {"HOME": str(folder), "XDG_CONFIG_DIRS": str(folder), "PIP_CONFIG_FILE": str(folder / "pip.conf")}
    if way == "uv variable":
        environ["UV_DEFAULT_INDEX"] = index.url_with_credentials
    elif way == "uv name":
        named = f'[[tool.uv.index]]\nname = "my-own.index"\nurl = "{index.url}"\n'
        (folder / "pyproject.toml").write_text(named)
        environ |= {"UV_INDEX_MY_OWN_INDEX_USERNAME": "user", "UV_INDEX_MY_OWN_INDEX_PASSWORD": SECRET}
    elif way == "pyproject.toml":
        named = f'[[tool.uv.index]]\nurl = "{index.url_with_credentials}"\n'
        (folder / "pyproject.toml").write_text(named)
    elif way == "uv.toml":
        (folder / "uv.toml").write_text(f'index-url = "{index.url_with_credentials}"\n')
    elif way == "pip variable":
        environ["PIP_EXTRA_INDEX_URL"] = index.url_with_credentials
    elif way == "pip.conf":
        (folder / "pip.conf").write_text(f"[global]\nindex-url = {index.url_with_credentials}\n")
    elif way == "netrc":
        (folder / ".netrc").write_text(f"machine 127.0.0.1 login user password {SECRET}\n")
    return IndexSettings.load(folder, environ)


WAYS = ("uv variable", "uv name", "pyproject.toml", "uv.toml", "pip variable", "pip.conf", "netrc")


@pytest.mark.parametrize("way", WAYS)
def test_every_way_to_give_a_login_works_and_leaks_nothing(
    tmp_path: Path, way: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """The wheels are read with the login, and afterwards it is in no cache file, log, output or repr."""
    caplog.set_level(logging.DEBUG)
    paths = [mostly_data(tmp_path / "w"), mostly_elf(tmp_path / "w")]
    with SmallIndex(tmp_path / "w", auth=("user", SECRET)) as index:
        settings = _settings(tmp_path / "home", index, way)
        wheels = [locked(path, index.file_url(path.name)) for path in paths]
        facts = gather(wheels, venv=None, index=settings, cache=Cache(folder=tmp_path / "cache"))
    assert all(facts[wheel].files for wheel in wheels)
    files = [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]
    assert len(files) == 2
    seen = [path.read_text() + str(path) for path in files]
    seen += [caplog.text, *capfd.readouterr(), repr(settings), str(settings), repr(facts)]
    _assert_clean("\n".join(seen))


def _assert_clean(text: str) -> None:
    for spelling in SPELLINGS:
        assert spelling not in text


def _another_hash(wheel: LockedWheel) -> LockedWheel:
    return replace(wheel, file=replace(wheel.file, sha256="0" * 64))


def _gone(wheel: LockedWheel) -> LockedWheel:
    return replace(wheel, file=replace(wheel.file, url=(wheel.file.url or "").replace("/files/", "/none/")))


def _nobody(wheel: LockedWheel) -> LockedWheel:
    host = (wheel.file.url or "").split("/")[2]
    return replace(wheel, file=replace(wheel.file, url=(wheel.file.url or "").replace(host, "user:s3cr3t@127.0.0.1:9")))


def _refused(wheel: LockedWheel) -> LockedWheel:
    url = (wheel.file.url or "").replace("user:s3cr3t@", "user:s3cr3t-wrong@")
    return replace(wheel, file=replace(wheel.file, url=url + f"?token={SECRET}"))


@pytest.mark.parametrize("wrong", [_another_hash, _gone, _nobody, _refused])
def test_no_error_tells_a_login(
    tmp_path: Path,
    wrong: Callable[[LockedWheel], LockedWheel],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Credentials in the wheel's own URL are in no error, its hint, its traceback, or the lock's repr."""
    caplog.set_level(logging.DEBUG)
    monkeypatch.setattr("nixpy.wheels.http.Client.__init__.__kwdefaults__", {"attempts": 2, "pause": 0.001})
    path = mostly_elf(tmp_path / "w")
    with SmallIndex(tmp_path / "w", auth=("user", SECRET)) as index:
        url = index.file_url(path.name).replace("://", f"://user:{SECRET}@")
        wheel = wrong(locked(path, url))
        with pytest.raises(NixpyError) as caught:
            gather([wheel], venv=None, index=IndexSettings(), cache=Cache(folder=tmp_path / "cache"))
    error = caught.value
    lines = [str(error), repr(error), str(error.hint), str(error.path), repr(wheel), caplog.text]
    _assert_clean("\n".join([*lines, *traceback.format_exception(error)]))
    assert not (tmp_path / "cache").exists()
