"""No module knows a style or a feature by its name: what is particular to one stands in its TOML file."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from nixpy.styles.features import features
from nixpy.styles.styles import styles

TOP = Path(__file__).parents[2]
PACKAGE = TOP / "scaffold" / "nixpy"
NAMES = sorted({*(style.name for style in styles()), *(feature.name for feature in features())}, key=len, reverse=True)
# A text that is such a name, or has it after one of the words that announce it.
NAMED = re.compile(
    r"(?:\A|\b[Ss]tyles? |\b[Ff]eatures? |--style |--feature |, | or )(?P<name>" + "|".join(NAMES) + r")(?![\w-])"
)
# The same words for other things.
OTHERS = {
    "application": ("package/entries.py", "package/recipe.py"),  # an option of `nixpy package`
    # The program conda, which the style of that name starts, too.
    "conda": ("doctor/examine.py", "doctor/packages.py", "doctor/setting_checks.py"),
    "find-library": ("needs/dlopen.py",),  # a kind of row in dlopen.csv
    "loader": ("cli/scan.py", "doctor/report.py"),  # the program that starts others
    # What the host has in the place of a loader, or must have.
    "nix-ld": (
        *(f"doctor/{name}.py" for name in ("facts", "host", "library_checks", "report", "setting_checks", "venv")),
        "styles/styles.py",
    ),
    "patched-venv": ("cli/main.py",),  # the command `nixpy patch` runs the program of this style
}


def texts(module: Path) -> Iterator[tuple[int, str]]:
    """Yield every string of a module with its line, but for docstrings."""
    tree = ast.parse(module.read_text("utf-8"))
    statements = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in statements:
            yield node.lineno, node.value


def test_no_module_has_a_name() -> None:
    """No string in a module names a style or a feature."""
    found = [
        (place, line, match["name"])
        for module in sorted(PACKAGE.rglob("*.py"))
        for place in [str(module.relative_to(PACKAGE))]
        for line, text in texts(module)
        for match in NAMED.finditer(text)
        if place not in OTHERS.get(match["name"], ())
    ]
    assert found == []


def test_no_template_has_a_name() -> None:
    """No Jinja expression compares a style or a feature with a name, in the text or in the name of a template."""
    templates = sorted(path for path in (TOP / "templates").rglob("*.jinja") if path.is_file())
    assert len(templates) > 20
    found = [
        (template.name, name)
        for template in templates
        for code in re.findall(r"\{[{%].*?[%}]\}", f"{template}\n{template.read_text('utf-8')}")
        for name in NAMES
        if re.search(rf"""(["']){name}\1""", code)
    ]
    assert found == []


def test_the_questions_of_copier_compare_no_names() -> None:
    """In copier.yml a style stands among the choices and as the default, and nowhere else."""
    text = (TOP / "copier.yml").read_text("utf-8")
    questions, _, computed = text.partition("\npython:\n")
    compared = re.findall(r"""style (?:==|!=|in) .*""", questions + computed)
    assert compared == []
    assert [name for name in NAMES if re.search(rf"""["'\[ ]{name}["'\],]""", computed)] == []
