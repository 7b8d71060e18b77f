"""URLs: what of them may be shown, which file they mean, and whether they are any (RFC 3986 and 8089).

Taking a secret out never fails, whatever the text: it happens in messages about what is wrong with it.
"""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

from nixpy.core.errors import NixpyError

HTTP = {"http": 80, "https": 443}
"""The schemes that wheels are fetched by, with their ports."""

_LOGIN = re.compile(r"\A([^/?#]*//)[^/?#]*@")
_ADDRESS = re.compile(r"(?<=://)\S*")
_QUERY = re.compile(r"\?[^#]*")
_FILE = re.compile(r"file:(?://[^/?#]*)?(?P<path>[^?#]*)", re.IGNORECASE)


def plain(text: str) -> str:
    """Return a text with the user part and the query of every URL in it taken out, each of which may be a secret."""
    while (plainer := _ADDRESS.sub(lambda match: _without_secrets(match[0]), text)) != text:
        text = plainer
    return text


def _without_secrets(address: str) -> str:
    """Return what follows the `://` of a URL, or of several in a row, without user parts and queries."""
    parts = (part.partition("/") for part in address.split("://"))
    return _QUERY.sub("", "://".join(server.rpartition("@")[2] + slash + path for server, slash, path in parts))


def without_login(url: str) -> str:
    """Return a URL without credentials, everything else as it was."""
    return _LOGIN.sub(r"\1", url)


def shown(url: str) -> str:
    """Return a URL as it may be shown: without credentials, query and fragment, which may be signed."""
    return without_login(url).partition("#")[0].partition("?")[0]


def split(url: str) -> SplitResult:
    """Return the parts of a URL; NixpyError, free of credentials, where its server cannot be told from it."""
    try:
        parts = urlsplit(url)
        if parts.scheme in HTTP:
            parts.port  # noqa: B018  # raises for what is no port
    except ValueError:
        message = f"`{plain(url)}` is not a URL"
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
