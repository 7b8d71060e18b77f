"""List the modules of other packages that the sources of a wheel import."""

from __future__ import annotations

import sys
from collections.abc import Mapping

from nixpy.core import limits
from nixpy.needs.sources.modules import is_test, module_name
from nixpy.needs.sources.scan import scan


def foreign_imports(sources: Mapping[str, bytes]) -> tuple[str, ...]:
    """Return the dotted names that sources import from other packages, sorted.

    `from a.b import c` gives `a.b.c`, in which `c` may be an attribute. Names of one component are left out, and
    modules of the standard library. So are imports of tests, and those in functions, conditions and `try`: they support
    packages that need not be installed, as django-debug-toolbar supports PostGIS.
    """
    own = {name.partition(".")[0] for path in sources if (name := module_name(path))}
    skipped = own | sys.stdlib_module_names
    found: set[str] = set()
    for path, source in sources.items():
        if path.endswith(".py") and not is_test(path):
            module = module_name(path) or ""
            found.update(
                one.name
                for one in scan(source, module, package=path.endswith("/__init__.py"))
                if one.plain and "." in one.name and one.name.partition(".")[0] not in skipped
            )
    return tuple(sorted(found))[: limits.IMPORTS]
