"""WHEEL RELAXED: what the wheel requires is there, in a version that it admits; of packages in RELAXED (1: all) in any,
as the wheel says from then on (nixpkgs: python-relax-deps-hook.sh, python-runtime-deps-check-hook.py).
"""

import importlib.metadata
import re
import sys
import zipfile

from pip._vendor.packaging.requirements import Requirement
from pip._vendor.packaging.specifiers import SpecifierSet
from pip._vendor.packaging.utils import canonicalize_name

file, relaxed = sys.argv[1], {canonicalize_name(name) for name in sys.argv[2].split()}


def read(line: str) -> Requirement:
    requirement = Requirement(line)
    if "1" in relaxed or canonicalize_name(requirement.name) in relaxed:
        requirement.specifier = SpecifierSet()
    return requirement


def check(requirement: Requirement) -> str | None:
    if requirement.marker and not requirement.marker.evaluate({"extra": ""}):
        return None
    try:
        version = importlib.metadata.version(requirement.name)
    except importlib.metadata.PackageNotFoundError:
        return f"{requirement.name} not installed"
    fits = requirement.specifier.contains(version, prereleases=True)
    return None if fits else f"{requirement} not satisfied by version {version}"


with zipfile.ZipFile(file) as wheel:
    content = {item: wheel.read(item) for item in wheel.infolist()}
wrong = []
with zipfile.ZipFile(file, "w") as wheel:
    for item, data in content.items():
        if item.filename.endswith(".dist-info/METADATA"):
            head, blank, body = data.decode().partition("\n\n")
            found = [read(line) for line in re.findall(r"(?m)^Requires-Dist: (.*)$", head)]
            wrong = [said for requirement in found if (said := check(requirement))]
            kept = [line for line in head.split("\n") if not line.startswith("Requires-Dist:")]
            text = "\n".join([*kept, *(f"Requires-Dist: {requirement}" for requirement in found)]) + blank + body
            wheel.writestr(item, text)
        else:
            wheel.writestr(item, data)
if wrong:
    print("Checking runtime dependencies for", file, *(f"  - {text}" for text in wrong), sep="\n", file=sys.stderr)
    sys.exit(1)
