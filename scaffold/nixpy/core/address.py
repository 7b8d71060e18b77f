"""Read the public address of nixpy from `templates/address.json`.

The values are empty until there is a public address.

`make address` writes the address into files that cannot read it, such as README.md; CONTRIBUTING.md says how to set it.
"""

from __future__ import annotations

from nixpy.core import templates

CLONE = "git+file:///home/me/nixpy"
"""A flake reference to a clone, as in the documentation."""


def repository() -> str:
    """Return the https URL of the public git repository; empty if there is none."""
    return str(templates.data("address.json")["repository"])


def commit() -> str:
    """Return the commit of that repository which texts name; empty if there is none."""
    return str(templates.data("address.json")["commit"])


def git() -> str:
    """Return the repository for pip, uv, pipx and copier, such as `git+https://…`.

    The result is empty if there is none.
    """
    return f"git+{repository()}" if repository() else ""


def flake() -> str:
    """Return a flake reference to the repository.

    Without a public address, it is that of a clone.
    """
    found = repository()
    host = "https://github.com/"
    return f"github:{found.removeprefix(host)}" if found.startswith(host) else git() or CLONE
