import os
from importlib.metadata import distributions

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


def packages(folder):
    return {canonicalize_name(one.name): one for one in distributions(path=[folder])}


def holds(requirement, extra):
    return requirement.marker is None or requirement.marker.evaluate({"extra": extra})


installed = packages(os.environ["installed"])
for line in os.environ["standIns"].splitlines():
    name, _, folder = line.partition("=")
    if name not in installed and len(own := packages(folder)) == 1:
        installed[name] = own.popitem()[1]
missed, seen = [], set()
waiting = [(line, Requirement(line), "") for line in os.environ["asked"].splitlines()]
while waiting:
    line, requirement, by = waiting.pop(0)
    if not holds(requirement, by):
        continue
    found = installed.get(canonicalize_name(requirement.name))
    if not found or not requirement.specifier.contains(found.version, prereleases=True):
        missed.append(f"{line}: {found.version if found else 'nothing'} is installed")
    for extra in requirement.extras if found else ():
        # Check only what the extra adds, with the extras of that; the package's own requirements are installed with it.
        name = f"{found.name}[{extra}]"
        if name not in seen:
            seen.add(name)
            more = [one for one in map(Requirement, found.requires or ()) if not holds(one, "")]
            waiting += [(f"{one.name}{one.specifier} for {name}", one, extra) for one in more]
raise SystemExit("\n".join(missed) or None)
