"""A folder and a shell in which the commands of `nixpy doctor` are run with the real installers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uv

from realuv import RealUv

MINOR = f"3.{sys.version_info.minor}"


@dataclass(frozen=True, kw_only=True)
class Machine:
    """A folder, and a shell in which uv and nixpy know only the index."""

    folder: Path
    tool: RealUv

    def run(self, script: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run a script in the folder; its failure fails the test with what it says."""
        tools = os.pathsep.join([str(Path(uv.find_uv_bin()).parent), str(Path(sys.executable).parent)])
        environ = {**self.tool.environment(), "HOME": str(self.tool.folder), **variables}
        environ["PATH"] = f"{tools}:/usr/bin:/bin"
        environ["XDG_CACHE_HOME"] = str(self.tool.cache)
        command = ["bash", "-euc", script]
        done = subprocess.run(
            command, cwd=self.folder, env=environ, capture_output=True, text=True, check=False, timeout=120
        )
        assert done.returncode == 0, f"{script}\n{done.stdout}{done.stderr}"
        return done

    def doctor(self, before: str = "", *arguments: str, **variables: str) -> dict[str, dict[str, Any]]:
        """Return the errors of doctor by code, after commands in the same shell."""
        script = f"{before or ':'}\n{sys.executable} -m nixpy doctor --format json {' '.join(arguments)} > report || :"
        self.run(script, **variables)
        report = json.loads((self.folder / "report").read_text())
        return {one["code"]: one for one in report["findings"] if one["level"] == "error"}
