"""Write values as inline TOML."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any


def inline(value: Any) -> str:
    """Return a value as inline TOML.

    Its basic strings are those of JSON, with DEL escaped.
    """
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{inline(key)} = {inline(item)}" for key, item in value.items()) + "}"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, Sequence):
        return "[" + ", ".join("\n  " * isinstance(item, Mapping) + inline(item) for item in value) + "]"
    return json.dumps(value, default=lambda moment: moment.isoformat()).strip('"')
