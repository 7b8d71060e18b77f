"""URLs: what of them may be shown, which file they mean, and whether they are any (RFC 3986 and 8089).

Taking a secret out never fails, whatever the text: it happens in messages about what is wrong with it.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

from nixpy.core.errors import NixpyError

HTTP = {"http": 80, "https": 443}
"""The schemes that wheels are fetched by, with their ports."""

_PUBLIC = {"pypi.org", "test.pypi.org", "files.pythonhosted.org", "download.pytorch.org", "github.com"}
_WORD = re.compile(  # the parts of an index's path that are in the documentation of servers
    r"(\+f|\+simple|api|artifactory|cpu|dists|download|files|index|legacy|links|main|nexus|npm|packages|pip|projects|public|"
    r"pypi(-all|-local|-remote)?|python|releases?|repos?|repository|root|simple|stable|v\d|wheels|whl)?",
    re.IGNORECASE,
)
_FILES = (".whl", ".zip", ".tar.gz", ".tar.bz2", ".tar.xz", ".metadata", ".html", ".git")
_SHORTEST_TOKEN = 16
_LOGIN = re.compile(r"\A([^/?#]*//)[^/?#]*@")
_ADDRESS = re.compile(r"(?<=//)\S*")
_QUERY = re.compile(r"\?[^#]*")
_URL = re.compile(r"(?P<server>\b[A-Za-z][A-Za-z0-9+.-]{0,40}://)(?P<rest>[^\s'\"`<>)\]]+)")
_FILE = re.compile(r"file:(?://[^/?#]*)?(?P<path>[^?#]*)", re.IGNORECASE)


def plain(text: str) -> str:
    """Return a text with the user part and the query of every URL in it taken out, each of which may be a secret."""
    while (plainer := _ADDRESS.sub(lambda match: _without_secrets(match[0]), text)) != text:
        text = plainer
    return text


def shown_text(text: str) -> str:
    """Return a text of others as it may be shown: of each URL in it, only what `shown` returns."""
    return shown_within(plain(text))


def _without_secrets(address: str) -> str:
    """Return what follows the `//` of a URL, or of several in a row, without user parts and queries."""
    parts = (part.partition("/") for part in address.split("://"))
    return _QUERY.sub("", "://".join(server.rpartition("@")[2] + slash + path for server, slash, path in parts))


def without_login(url: str) -> str:
    """Return a URL without credentials, everything else as it was."""
    return _LOGIN.sub(r"\1", url)


def identity(url: str) -> str:
    """Return what names the file of a URL: all but credentials, query and fragment, which may be signed."""
    return without_login(url).partition("#")[0].partition("?")[0]


def shown(url: str, secrets: Collection[str] = ()) -> str:
    """Return a URL as it may be shown: its identity, and `***` for each part of the path that may be a token.

    That is a part in `secrets`, and one that looks like a key. Path and file name stay else, so that the file is found.
    """
    url = identity(url)
    scheme, slashes, rest = url.partition("//")
    server, slash, path = rest.partition("/")
    if not slashes or server.lower() in _PUBLIC:
        return url
    hidden = {part for part in path.split("/") if _is_token(part) or {part, unquote(part)} & set(secrets)}
    parts = ("***" if part in hidden else part for part in path.split("/"))
    return f"{scheme}//{server}{slash}{'/'.join(parts)}"


def shown_within(text: str, secrets: Collection[str] = ()) -> str:
    """Return a text with each URL in it as it may be shown; `***@` says that it had credentials."""

    def clean(match: re.Match[str]) -> str:
        url = match[0]
        login = "***@" if without_login(url) != url else ""
        return match["server"] + login + shown(url, secrets).removeprefix(match["server"])

    return _URL.sub(clean, text)


def path_tokens(url: str) -> set[str]:
    """Return the parts of an index's path that may be a token (`https://host/TOKEN/simple`), both spellings of each.

    Which part of it is one, only the server knows: all are that are no common word of indexes.
    """
    server, _, path = identity(url).partition("//")[2].partition("/")
    parts = set() if server.lower() in _PUBLIC else {part for part in path.split("/") if not _WORD.fullmatch(part)}
    return parts | set(map(unquote, parts))


def _is_token(part: str) -> bool:
    """Tell whether a part of a path looks like a key: long, of letters and digits, and no file."""
    return (
        len(part) >= _SHORTEST_TOKEN
        and not part.endswith(_FILES)
        and re.search("[0-9]", part) is not None
        and re.search("[A-Za-z]", part) is not None
    )


def split(url: str) -> SplitResult:
    """Return the parts of a URL; NixpyError, free of credentials, where its server cannot be told from it."""
    try:
        parts = urlsplit(url)
        if parts.scheme in HTTP:
            parts.port  # noqa: B018  # raises for what is no port
    except ValueError:
        message = f"`{shown_text(url)}` is not a URL"
        raise NixpyError(message, hint="Correct the server in it: write https://host/ or https://host:port/.") from None
    return parts


def file_name(url: str) -> str:
    """Return the file's name in a URL, percent-decoded, without query and fragment."""
    # Split by hand: a lock has thousands of addresses, and urlsplit takes most of the time of reading them.
    return unquote(url.partition("#")[0].partition("?")[0].rpartition("/")[2])


def file_path(url: str | None) -> Path | None:
    """Return the path that a `file:` URL means; None for any other."""
    match = _FILE.match(url or "")
    return Path(unquote(match["path"])) if match else None
