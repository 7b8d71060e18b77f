"""Parse URLs, remove their secrets, and identify their files.

Source: RFC 3986 and 8089.

Removing a secret never fails, whatever the text: messages about invalid URLs need it.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

from nixpy.core.errors import InputError

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
SHORTEST_WORD = 4
"""The length from which a secret is removed from a whole text. A shorter one is also a part of words."""
_LOGIN = re.compile(r"\A([^/?#]*//)[^/?#]*@")
_ADDRESS = re.compile(r"(?<=//)\S*")
_QUERY = re.compile(r"\?[^#]*")
_URL = re.compile(r"(?P<server>\b[A-Za-z][A-Za-z0-9+.-]{0,40}://)(?P<rest>[^\s'\"`<>)\]]+)")
_FILE = re.compile(r"file:(?://[^/?#]*)?(?P<path>[^?#]*)", re.IGNORECASE)


def plain(text: str) -> str:
    """Return a text without the user part and the query of each URL in it.

    Both may be secrets.
    """
    while (plainer := _ADDRESS.sub(lambda match: _without_secrets(match[0]), text)) != text:
        text = plainer
    return text


def shown_text(text: str) -> str:
    """Return an untrusted text with each URL in it safe to show, as `shown` does."""
    return shown_within(plain(text))


def _without_secrets(address: str) -> str:
    """Return the text after `://` without user parts and queries.

    The text may contain several URLs in a row.
    """
    parts = (part.partition("/") for part in address.split("://"))
    return _QUERY.sub("", "://".join(server.rpartition("@")[2] + slash + path for server, slash, path in parts))


def without_login(url: str) -> str:
    """Return a URL without credentials, everything else as it was."""
    return _LOGIN.sub(r"\1", url)


def identity(url: str) -> str:
    """Return the part of a URL that identifies its file.

    It lacks credentials, query and fragment.
    """
    return without_login(url).partition("#")[0].partition("?")[0]


def shown(url: str, secrets: Collection[str] = ()) -> str:
    """Return a URL that is safe to show.

    It is its identity, with `***` for each part of the path that may be a token.

    A part may be a token if it is in `secrets` or looks like a key. The rest of the path stays, so that a reader can
    find the file.
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
    """Return a text in which each URL is safe to show.

    `***@` replaces its credentials.
    """

    def clean(match: re.Match[str]) -> str:
        url = match[0]
        login = "***@" if without_login(url) != url else ""
        return match["server"] + login + shown(url, secrets).removeprefix(match["server"])

    return _URL.sub(clean, text)


def replace_part(text: str, part: str, replacement: str) -> str:
    """Replace a user, a password or a folder in each URL of a text.

    Only a whole part is replaced. The same letters elsewhere in the text are not changed.
    """
    whole = re.compile(rf"(?<![^/:@?&=#]){re.escape(part)}(?![^/:@?&=#'\"`<>()\[\],;])")
    return _ADDRESS.sub(lambda address: whole.sub(lambda _: replacement, address[0]), text)


def path_tokens(url: str) -> set[str]:
    """Return the parts of an index's path that may be a token.

    An example is `https://host/TOKEN/simple`. Each part has both spellings.

    Only the server knows which part is a token, so every part counts that is not a common word of indexes.
    """
    server, _, path = identity(url).partition("//")[2].partition("/")
    parts = set() if server.lower() in _PUBLIC else {part for part in path.split("/") if not _WORD.fullmatch(part)}
    return parts | set(map(unquote, parts))


def _is_token(part: str) -> bool:
    """Return whether a part of a path looks like a key.

    A key is long, of letters and digits, and not a file name.
    """
    return (
        len(part) >= _SHORTEST_TOKEN
        and not part.endswith(_FILES)
        and re.search("[0-9]", part) is not None
        and re.search("[A-Za-z]", part) is not None
    )


def split(url: str) -> SplitResult:
    """Return the parts of a URL.

    Raises NixpyError, without credentials, if it has no valid server.
    """
    try:
        parts = urlsplit(url)
        if parts.scheme in HTTP:
            parts.port  # noqa: B018  # raises for an invalid port
    except ValueError:
        message = f"`{shown_text(url)}` is not a URL"
        raise InputError(message, hint="Correct the server in it: write https://host/ or https://host:port/.") from None
    return parts


def file_name(url: str) -> str:
    """Return the file's name in a URL, percent-decoded, without query and fragment."""
    # Split by hand: a lock has thousands of addresses, and urlsplit takes most of the time of reading them.
    return unquote(url.partition("#")[0].partition("?")[0].rpartition("/")[2])


def file_path(url: str | None) -> Path | None:
    """Return the path of a `file:` URL (RFC 8089); None for any other URL."""
    match = _FILE.match(url or "")
    return Path(unquote(match["path"])) if match else None
