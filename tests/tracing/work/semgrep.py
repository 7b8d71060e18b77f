# /// script
# dependencies = ["semgrep"]
# [tool.trace]
# kind = "tool"
# ///
"""Search a file with a rule."""

import subprocess
from pathlib import Path

Path("rule.yaml").write_text("rules: [{id: a, pattern: eval(...), message: m, languages: [python], severity: ERROR}]\n")
Path("a.py").write_text("eval(x)\n")
command = [
    "python3",
    "/app/bin/pysemgrep",
    "scan",
    "--metrics=off",
    "--disable-version-check",
    "--config",
    "rule.yaml",
    "a.py",
]
done = subprocess.run(command, capture_output=True, text=True)
assert "eval(x)" in done.stdout, done
