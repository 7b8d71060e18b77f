"""Which attributes of `lib.licenses` a package's licence is; `licenses.csv` has them by SPDX identifier and by trove
classifier (nixpkgs: lib/licenses). A classifier that leaves open which licence it means, as BSD's does, is not there.
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
    """Return the attributes of every licence that is named, or none at all where one of them is not known.

    The licence expression decides (PEP 639), then the classifiers, then the field of old, where that is an expression.
    """
    if metadata.license_expression:
        return _of_expression(metadata.license_expression)
    named = [c for c in metadata.classifiers if c.startswith("License ::") and c != "License :: OSI Approved"]
    found = [_table().get(classifier) for classifier in named]
    known = tuple(dict.fromkeys(attribute for attribute in found if attribute))
    return known if known and None not in found else _of_expression(metadata.license_text or "")


def named(metadata: Metadata) -> str:
    """Return in which words the package names its licence, shortened; an empty text where it does not."""
    classifiers = [c.rpartition(" :: ")[2] for c in metadata.classifiers if c.startswith("License ::")]
    text = metadata.license_expression or ", ".join(classifiers) or metadata.license_text or ""
    return text if len(text) <= 60 else text[:59] + "…"


def _of_expression(text: str) -> tuple[str, ...]:
    try:
        expression = canonicalize_license_expression(text)
    except InvalidLicenseExpression:
        return ()
    parts = [part.strip() for part in re.split(r"\b(?:AND|OR)\b|[()]", expression)]
    found = [_table().get(part) for part in parts if part]  # with an exception it is a licence of its own
    return () if None in found else tuple(dict.fromkeys(attribute for attribute in found if attribute))
