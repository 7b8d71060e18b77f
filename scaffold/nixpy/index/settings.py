"""Read the user's package indexes, and protect their passwords.

The settings are those of uv, pip and netrc.

A credential is only here: in fields without a repr, in the environment of uv, and in the Authorization header of a
request to its own server. `redact` removes it from texts of other programs.
"""

from __future__ import annotations

import base64
import netrc
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self
from urllib.parse import quote, unquote

from nixpy.core.urls import HTTP, SHORTEST_WORD, path_tokens, shown, shown_within, split, without_login
from nixpy.index.config_files import PipIndexes, pip_indexes, uv_indexes

_SHORTEST_SECRET = 6  # shorter ones are also parts of words
# uv takes `//user:password@host` for a path, and prints it with one slash.
_USERINFO = re.compile(r"(?:(?<=//)|(?<=/)(?=[^/@\s]*:))[^/\s'\"<>]*@")


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """A user name and a password, both decoded.

    A user name without a password is a token, and also secret.
    """

    user: str = field(repr=False)
    password: str = field(default="", repr=False)

    def header(self) -> str:
        """Return the value of a Basic Authorization header (RFC 7617)."""
        return "Basic " + self._token()

    def secrets(self) -> set[str]:
        """Return every spelling in which this login may occur in a text."""
        secret = self.password or self.user
        return {secret, quote(secret, safe=""), quote(secret), self._token()} if secret else set()

    def _token(self) -> str:
        return base64.b64encode(f"{self.user}:{self.password}".encode()).decode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """An index or page of links on a server, and the login for it.

    The URL has no credentials.
    """

    url: str = field(repr=False)
    login: Login | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexSettings:
    """The index settings of uv, pip and netrc; empty without arguments."""

    indexes: tuple[Index, ...] = field(default=(), repr=False)
    other_logins: tuple[Login, ...] = field(default=(), repr=False)  # those of paths
    hosts: Mapping[str, Login] = field(default_factory=dict, repr=False)  # netrc: host, or "default", to login
    certificates: Path | None = None  # PEM file of trusted authorities; None for that of the system
    client_certificate: Path | None = None
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)

    @classmethod
    def load(cls, root: Path, environ: Mapping[str, str] = os.environ) -> Self:
        """Read the index settings for the project in `root`.

        The sources are variables and files of uv, variables and files of pip, and netrc (`NETRC`, else `~/.netrc`). A
        netrc file that cannot be read is skipped, as uv and pip do. Raises NixpyError for a damaged uv.toml,
        pyproject.toml or pip.conf, and for an index that is not a URL.
        """
        uv, pip = uv_indexes(root, environ), pip_indexes(root, environ)
        urls = [
            *uv.indexes,
            *((None, url) for url in (pip.index_url, *pip.extra_index_urls, *pip.find_links)),
        ]
        return cls(
            indexes=tuple(_index(name, url, environ) for name, url in urls if url and _is_http(url)),
            other_logins=tuple(login for _, url in urls if url and not _is_http(url) and (login := _login(url))),
            hosts=_netrc(environ),
            certificates=_certificates(environ, pip),
            client_certificate=_file(environ.get("SSL_CLIENT_CERT")) or pip.client_certificate,
            environment=_for_uv(pip, environ, indexes=not uv.configured, certificates=not uv.certificates),
        )

    def with_urls(self, urls: Iterable[str]) -> Self:
        """Return the settings with the indexes of a requirements file before all others."""
        more = tuple(_index(None, url, {}) for url in urls if _is_http(url))
        return replace(self, indexes=(*more, *self.indexes))

    def uv_environment(self) -> dict[str, str]:
        """Return the environment variables that make uv use pip's settings.

        uv uses them if it has no index settings of its own.

        pip chooses the best version from all its indexes; uv then does the same. The values may contain credentials:
        never show them.
        """
        return dict(self.environment)

    def auth(self, url: str) -> str | None:
        """Return the Authorization header for `url`, or None.

        It has the credentials in the URL itself, else those of the configured index on the same server that shares the
        longest path with it, else those of netrc for the host.
        """
        if (own := _login(url)) is not None:
            return own.header()
        server, path = _server(url), split(url).path
        same = [index for index in self.indexes if _server(index.url) == server]
        best = max(same, key=lambda i: (_shared(i.url, path), i.login is not None), default=None)
        login = best.login if best else None
        if login is None and _is_http(url):
            login = self.hosts.get(server[1]) or self.hosts.get("default")
        return login.header() if login else None

    def redact(self, text: str) -> str:
        """Return `text` without known secrets, and with each URL safe to show."""
        logins = (*(i.login for i in self.indexes if i.login), *self.hosts.values(), *self.other_logins)
        # A shorter one is removed with the login of each URL.
        secrets = {secret for login in logins for secret in login.secrets() if len(secret) >= SHORTEST_WORD}
        tokens = {token for index in self.indexes for token in path_tokens(index.url)}
        secrets |= {value for index in self.indexes for value in _query_values(index.url)}
        secrets |= {token for token in tokens if len(token) >= _SHORTEST_SECRET and re.search("[0-9]", token)}
        text = shown_within(text, tokens)
        for secret in sorted(secrets, key=len, reverse=True):
            text = text.replace(secret, "***")
        return _USERINFO.sub("***@", text)

    def shown(self, url: str) -> str:
        """Return a URL that is safe to show, without any known token."""
        return self.redact(shown(url))


def _query_values(url: str) -> set[str]:
    """Return the values in a URL's query and fragment, raw and decoded.

    Each may be a token.
    """
    values = {pair.partition("=")[2] or pair for pair in re.split("[?#&;]", url)[1:]}
    return {value for value in values | set(map(unquote, values)) if len(value) >= _SHORTEST_SECRET}


def same_server(one: str, other: str) -> bool:
    """Return whether two URLs have the same origin (RFC 6454).

    An origin is scheme, host and port.
    """
    return _server(one) == _server(other)


def _server(url: str) -> tuple[str, str, int | None]:
    parts = split(url)
    return parts.scheme, parts.hostname or "", parts.port or HTTP.get(parts.scheme)


def _shared(url: str, path: str) -> int:
    """Count the path segments that an index's URL and `path` share.

    They are counted from the start.
    """
    pairs = zip(split(url).path.strip("/").split("/"), path.strip("/").split("/"), strict=False)
    return next((i for i, (one, other) in enumerate(pairs) if one != other), 99)


def _is_http(url: str) -> bool:
    return split(url).scheme in HTTP


def _login(url: str) -> Login | None:
    user, _, password = split(url).netloc.rpartition("@")[0].partition(":")
    return Login(user=unquote(user), password=unquote(password)) if user or password else None


def _index(name: str | None, url: str, environ: Mapping[str, str]) -> Index:
    """Build one index.

    uv reads the login of a named one from UV_INDEX_<NAME>_USERNAME and _PASSWORD.
    """
    login = _login(url)
    key = "UV_INDEX_" + re.sub(r"[^A-Z0-9]", "_", (name or "").upper())
    user, password = environ.get(f"{key}_USERNAME", ""), environ.get(f"{key}_PASSWORD", "")
    if name and (user or password):
        login = Login(user=user or (login.user if login else ""), password=password)
    return Index(url=without_login(url), login=login)


def _netrc(environ: Mapping[str, str]) -> dict[str, Login]:
    path = environ.get("NETRC") or Path(environ.get("HOME") or Path.home()) / ".netrc"
    try:
        entries = netrc.netrc(str(path)).hosts
    except (OSError, netrc.NetrcParseError, UnicodeDecodeError):
        return {}
    return {
        host.lower(): Login(user=user or "", password=password or "") for host, (user, _, password) in entries.items()
    }


def _certificates(environ: Mapping[str, str], pip: PipIndexes) -> Path | None:
    """Return the certificate file of uv and OpenSSL, else that of pip.

    If there is neither, it is that of requests, which pip uses.
    """
    inherited = environ.get("REQUESTS_CA_BUNDLE") or environ.get("CURL_CA_BUNDLE")
    return _file(environ.get("SSL_CERT_FILE")) or pip.certificates or _file(inherited)


def _file(text: str | None) -> Path | None:
    return Path(text) if text else None


def _for_uv(pip: PipIndexes, environ: Mapping[str, str], *, indexes: bool, certificates: bool) -> dict[str, str]:
    added: dict[str, str] = {}
    if indexes:
        if pip.index_url:
            added["UV_DEFAULT_INDEX"] = pip.index_url
        if pip.extra_index_urls:
            added["UV_INDEX"] = " ".join(pip.extra_index_urls)
            added["UV_INDEX_STRATEGY"] = environ.get("UV_INDEX_STRATEGY") or "unsafe-best-match"
        if pip.find_links:
            added["UV_FIND_LINKS"] = ",".join(pip.find_links)
    if certificates and pip.certificates:
        added["SSL_CERT_FILE"] = str(pip.certificates)
    if pip.client_certificate and not environ.get("SSL_CLIENT_CERT"):
        added["SSL_CLIENT_CERT"] = str(pip.client_certificate)
    return added
