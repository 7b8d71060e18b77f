"""From `env` to text: the templates, and nothing else."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nixpy.styles import template_root

if TYPE_CHECKING:
    from jinja2 import BytecodeCache, Environment
    from jinja2.bccache import Bucket


@cache
def _jinja() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    jinja = Environment(
        loader=FileSystemLoader(template_root()),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701  (this is Nix, quoted by templates/_nix.jinja)
        bytecode_cache=_compiled(),
    )
    # The names and meanings copier's Jinja has, so that both render the same templates.
    jinja.filters["hash"] = lambda text, name="sha1": hashlib.new(name, text.encode()).hexdigest()
    jinja.filters["to_json"] = json.dumps
    return jinja


def _compiled() -> BytecodeCache | None:
    """Return where compiled templates are kept between runs, which takes most of the time of `check` from it.

    It is the folder that Jinja makes for the user alone, in the one for temporary files: what lies there is run. Jinja
    tells by a template's text whether it was made of that; the name tells by which Jinja, and for which settings. Where
    there is no such folder, or a file in it is damaged or cannot be written, templates are compiled as ever.
    """
    import jinja2

    class Compiled(jinja2.FileSystemBytecodeCache):
        def load_bytecode(self, bucket: Bucket) -> None:
            try:
                super().load_bytecode(bucket)
            except Exception:  # noqa: BLE001  (whatever unpickling makes of a damaged file)
                bucket.reset()

        def dump_bytecode(self, bucket: Bucket) -> None:
            with contextlib.suppress(OSError):
                super().dump_bytecode(bucket)

    makers = hashlib.sha256(Path(__file__).read_bytes())
    for path in sorted(Path(jinja2.__file__).parent.glob("*.py")):
        makers.update(path.read_bytes())
    try:
        return Compiled(pattern=f"nixpy-{makers.hexdigest()[:16]}-%s.cache")
    except (OSError, RuntimeError):  # Jinja's word for a folder that is not the user's own
        return None


def render(template: str, env: Mapping[str, Any]) -> str:
    """Return the text of `template` (a path below `templates`) for `env`."""
    return _jinja().get_template(f"templates/{template}").render(env=env)
