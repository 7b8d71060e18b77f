"""What nixpy noticed and the user should know: reported, never fatal."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Problem:
    """One finding. `code` is stable (NIX101 …), `package` the wheel or soname's needer it is about, if any."""

    code: str
    package: str | None = None
    message: str
    hint: str | None = None
