"""Read METADATA and PKG-INFO (core metadata specifications).

They have the format of e-mail headers.
"""

from __future__ import annotations

import re

from packaging.metadata import RawMetadata, parse_email

from nixpy.core import limits
from nixpy.core.errors import ArchiveError

_END = re.compile(rb"\r?\n\r?\n")
_FIELD = re.compile(rb"(?:\A|(?<=[\r\n]))([!-9;-~]+):")
_CONTENT_TYPE = re.compile(rb"(?:\A|(?<=[\r\n]))content-type:", re.IGNORECASE)


def parse(data: bytes, path: str) -> RawMetadata:
    """Return the fields of core metadata.

    Raises NixpyError, with `path`, for metadata that passes a limit of `core.limits`.
    """
    end = _END.search(data)
    head, body = (data[: end.start()], data[end.start() :]) if end else (data, b"")
    names = [name.lower() for name in _FIELD.findall(head)]
    if len(data) > limits.METADATA or len(names) > limits.FIELDS or len(set(names)) > limits.FIELD_NAMES:
        raise ArchiveError(
            "its metadata is absurdly large and is not read", hint="Check where it comes from.", path=path
        )
    try:
        for line in head.decode("latin-1").splitlines():
            limits.check_line(line)
    except limits.PastLimitError as error:
        message = f"its metadata cannot be read: {error}"
        raise ArchiveError(message, hint="Check where it comes from.", path=path) from None
    # With this field, the parser reads nested e-mails, a thousand levels deep. Core metadata has no such field.
    return parse_email(_CONTENT_TYPE.sub(b"x-content-type:", head) + body)[0]
