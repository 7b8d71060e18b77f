"""METADATA and PKG-INFO, which have the form of a mail without being one (core metadata specifications)."""

from __future__ import annotations

import re

from packaging.metadata import RawMetadata, parse_email

from nixpy.core import limits
from nixpy.core.errors import ArchiveError

_END = re.compile(rb"\r?\n\r?\n")
_FIELD = re.compile(rb"(?:\A|(?<=[\r\n]))([!-9;-~]+):")
_CONTENT_TYPE = re.compile(rb"(?:\A|(?<=[\r\n]))content-type:", re.IGNORECASE)


def parse(data: bytes, path: str) -> RawMetadata:
    """Return the fields of core metadata; NixpyError, which names `path`, for more than honest files have."""
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
    # Mail may have mails in it, a thousand levels deep. Core metadata has no field of this name.
    return parse_email(_CONTENT_TYPE.sub(b"x-content-type:", head) + body)[0]
