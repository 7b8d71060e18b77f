"""Let uv use the package indexes as pip does.

pip takes a package from all its indexes together: the best version, and of this version the file with the best tag. Of
equal files it takes that of the last index. uv takes the files of a version from the first index that has the version.
So nixpy runs uv once for each index, with this index before the others, and joins the files.

Source: pip's `PackageFinder.find_all_candidates`; uv's documentation, "Searching across multiple indexes".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePath
from typing import Any

from nixpy.core.urls import file_name
from nixpy.index.config_files import PipIndexes, UvIndexes
from nixpy.locks.requirements import RequirementsOptions

_PYPI = "https://pypi.org/simple"
_Package = Mapping[str, Any]


def environments(
    pip: PipIndexes, uv: UvIndexes, files: Iterable[RequirementsOptions] = ()
) -> tuple[dict[str, str], ...]:
    """Return environments of uv with the indexes of pip, each with another one first.

    Args:
        pip: The settings of pip.
        uv: Those of uv; only its default index counts, and only if pip has no setting for it.
        files: The options of requirements files, which pip applies in this order.

    Returns:
        Variables of uv, which may contain credentials. The first environment has pip's own order of preference. There
        is none if pip has no index in its settings and in the files.
    """
    indexes = [pip.index_url, *pip.extra_index_urls]
    for options in files:
        if options.no_index:
            return ()
        if options.index_url:
            indexes = [options.index_url]
        indexes += options.extra_index_urls
    if not any(indexes):
        return ()
    last_first = [index or uv.default or _PYPI for index in reversed(list(dict.fromkeys(indexes)))]
    return tuple(_environment(last_first[at:] + last_first[:at], pip) for at in range(len(last_first)))


def _environment(indexes: Sequence[str], pip: PipIndexes) -> dict[str, str]:
    """Return variables that make uv use these indexes alone, in this order."""
    return {
        **dict.fromkeys(("UV_INDEX_URL", "UV_EXTRA_INDEX_URL"), ""),
        "UV_INDEX": " ".join(indexes[:-1]),
        "UV_DEFAULT_INDEX": indexes[-1],
        # With several indexes, uv ignores one that refuses access, as pip does. The only one must not be ignored.
        "UV_INDEX_STRATEGY": "unsafe-best-match" if len(indexes) > 1 else "first-index",
        "UV_FIND_LINKS": ",".join(pip.find_links),
    }


def pins(packages: Iterable[_Package]) -> tuple[str, ...]:
    """Return a requirement with the version of each package of an index."""
    return tuple(f"{one['name']}=={one['version']}" for one in packages if _is_from_index(one))


def with_files(packages: Sequence[_Package], answers: Iterable[Sequence[_Package]]) -> list[dict[str, Any]]:
    """Return packages with the files that uv's answers have for the same versions.

    The packages are those of a pylock.toml. Of files with the same name, that of the first answer is taken.
    """
    files: dict[tuple[str, str], dict[str, Any]] = {}
    for package in (package for answer in answers for package in answer if _is_from_index(package)):
        known = files.setdefault((package["name"], package["version"]), {})
        known.setdefault("wheels", {})
        for wheel in package.get("wheels", ()):
            known["wheels"].setdefault(_name(wheel), wheel)
        if "sdist" in package:
            known.setdefault("sdist", package["sdist"])
    return [
        {**package, **_listed(files.get((package["name"], package["version"]), {}))}
        if _is_from_index(package)
        else dict(package)
        for package in packages
    ]


def _listed(files: Mapping[str, Any]) -> dict[str, Any]:
    wheels = list(files.get("wheels", {}).values())
    return {**({"sdist": files["sdist"]} if "sdist" in files else {}), **({"wheels": wheels} if wheels else {})}


def _name(file: Mapping[str, str]) -> str:
    return file.get("name") or (file_name(file["url"]) if "url" in file else PurePath(file["path"]).name)


def _is_from_index(package: _Package) -> bool:
    return "version" in package and not package.keys() & {"archive", "directory", "vcs"}
