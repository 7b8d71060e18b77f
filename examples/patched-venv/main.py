"""Checks pieces of code with ruff, a program in a wheel, and counts the results with numpy."""

import json
import subprocess

import numpy as np

PIECES = {
    "imports": "import os\nimport sys\nprint(sys.argv)\n",
    "compares": "def f(x, y):\n    return x == None or y == None\n",
    "clean": "print('hello')\n",
}


def findings(code: str) -> list[str]:
    """Return the rules that a piece of code breaks."""
    command = ["ruff", "check", "--isolated", "--no-cache", "--select=F,E7", "--output-format=json", "-"]
    done = subprocess.run(command, input=code, stdout=subprocess.PIPE, text=True, check=False)
    return [finding["code"] for finding in json.loads(done.stdout)]


if __name__ == "__main__":
    found = {name: findings(code) for name, code in PIECES.items()}
    for name, rules in found.items():
        print(f"{name:8} {len(rules)} {' '.join(rules)}".rstrip())
    counts = np.array([len(rules) for rules in found.values()])
    print(f"mean {counts.mean():.1f}, worst {counts.max()}")
