"""Map the licence of a package to attributes of `lib.licenses`.

`licenses.csv` has them by SPDX identifier and by trove classifier (nixpkgs: lib/licenses). Ambiguous classifiers, such
as that of BSD, are not in it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

from nixpy.core.csv_table import rows
from nixpy.sdists.metadata import Metadata

_TABLE = Path(__file__).with_name("licenses.csv")


@cache
def _table() -> Mapping[str, str]:
    return {name: attribute for _, (name, attribute) in rows(_TABLE, "name", "attribute")}


def licences(metadata: Metadata) -> tuple[str, ...]:
    """Return the attributes of all named licences, or none if one of them is unknown.

    The licence expression decides (PEP 639), then the classifiers, then the old field if it is an expression.
    """
    if metadata.license_expression:
        return _of_expression(metadata.license_expression)
    named = [c for c in metadata.classifiers if c.startswith("License ::") and c != "License :: OSI Approved"]
    found = [_table().get(classifier) for classifier in named]
    known = tuple(dict.fromkeys(attribute for attribute in found if attribute))
    return known if known and None not in found else _of_expression(metadata.license_text or "")


def named(metadata: Metadata) -> str:
    """Return the package's own text about its licence, shortened.

    An empty string if there is none.
    """
    classifiers = [c.rpartition(" :: ")[2] for c in metadata.classifiers if c.startswith("License ::")]
    text = metadata.license_expression or ", ".join(classifiers) or metadata.license_text or ""
    return text if len(text) <= 60 else text[:59] + "…"


def _of_expression(text: str) -> tuple[str, ...]:
    try:
        expression = canonicalize_license_expression(text)
    except InvalidLicenseExpression:
        return ()
    parts = [part.strip() for part in re.split(r"\b(?:AND|OR)\b|[()]", expression)]
    found = [_table().get(part) for part in parts if part]  # an identifier with an exception is a separate licence
    return () if None in found else tuple(dict.fromkeys(attribute for attribute in found if attribute))
