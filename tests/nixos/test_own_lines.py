"""The lines that `init` prints for a flake.nix or shell.nix of the user: pasted where they say, they give the shell.

A comment above each group of lines names the place. MARKS are these places in the files below.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from nixos.realnix import CURRENT, evaluate, lock_flake, stand_in
from runner import Nixpy

PYPROJECT = '[project]\nname = "demo"\nversion = "1"\nrequires-python = ">=3.11"\ndependencies = []\n'
SYSTEMS = '[ "x86_64-linux" "aarch64-linux" "aarch64-darwin" ]'
NIXPKGS = 'nixpkgs.url = "github:NixOS/nixpkgs/nixos-26.05";'
PARTS, UTILS = (f'{name}.url = "github:owner/{name}";' for name in ("flake-parts", "flake-utils"))
MARKS = {
    "in `inputs`": "# INPUTS",
    "in the outputs": "# OUTPUTS",
    "in the attributes of `devShells`": "# SHELLS",
    "in `perSystem`": "# SYSTEM",
    "in `eachDefaultSystem`": "# SYSTEM",
    "next to `devShells`": "# SYSTEM",
    "": "# MODULE",
}
FORMS = {
    "one system": f"""{{
  inputs.{NIXPKGS}
  outputs = {{ nixpkgs, ... }}: let system = "x86_64-linux"; pkgs = nixpkgs.legacyPackages.${{system}}; in {{
    # OUTPUTS
    devShells.${{system}}.default = pkgs.mkShell {{
      packages = [ pkgs.zlib ];
    }};
  }};
}}""",
    "the system in the path": f"""{{
  inputs = {{
    {NIXPKGS}
  }};
  outputs = inputs: {{
    # OUTPUTS
    devShells.x86_64-linux.default = inputs.nixpkgs.legacyPackages.x86_64-linux.mkShell {{
      packages = [ ]; # import ./nixpy.nix
    }};
  }};
}}""",
    "forAllSystems": f"""{{
  inputs.{NIXPKGS}
  outputs = {{ self, nixpkgs }}: let
    forAllSystems = f: nixpkgs.lib.genAttrs {SYSTEMS} (system: f nixpkgs.legacyPackages.${{system}});
  in {{
    # OUTPUTS
    devShells = forAllSystems (pkgs: {{
      docs = pkgs.mkShell {{ packages = [ pkgs.openssl ]; }};
      default = with pkgs; mkShell {{
        packages = [ zlib ];
        shellHook = "echo '}}'";
      }};
    }});
  }};
}}""",
    "inputsFrom": f"""{{
  inputs.{NIXPKGS}
  outputs = {{ self, nixpkgs }}: let eachSystem = nixpkgs.lib.genAttrs {SYSTEMS}; in {{
    # OUTPUTS
    devShells = eachSystem (system: let pkgs = nixpkgs.legacyPackages.${{system}}; in {{
      default = pkgs.mkShell {{
        inputsFrom = [ (pkgs.mkShell {{ }}) ];
      }};
    }});
  }};
}}""",
    "another file": f"""{{
  inputs.{NIXPKGS}
  outputs = {{ nixpkgs, ... }}: {{
    # OUTPUTS
    devShells.x86_64-linux.default = import ./nix/shell.nix {{ pkgs = nixpkgs.legacyPackages.x86_64-linux; }};
  }};
}}""",
    "no shell": f"""{{
  inputs.{NIXPKGS}
  outputs = {{ nixpkgs, ... }}: {{
    # OUTPUTS
    formatter.x86_64-linux = nixpkgs.legacyPackages.x86_64-linux.zlib;
  }};
}}""",
    "no input": """{
  inputs = {
    # INPUTS
  };
  outputs = { ... }@inputs: {
    # OUTPUTS
  };
}""",
    "a shell of another kind": f"""{{
  inputs.{NIXPKGS}
  outputs = {{ nixpkgs, ... }}: let devenv.lib.mkShell = {{ }}: nixpkgs.legacyPackages.x86_64-linux.zlib; in {{
    # OUTPUTS
    devShells.x86_64-linux.default = devenv.lib.mkShell {{ }};
  }};
}}""",
    "devenv for each system": f"""{{
  inputs.{NIXPKGS}
  outputs = {{ nixpkgs, ... }}: let devenv.lib.mkShell = {{ pkgs }}: pkgs.zlib; in {{
    # OUTPUTS
    devShells = nixpkgs.lib.genAttrs {SYSTEMS} (target: let pkgs = nixpkgs.legacyPackages.${{target}}; in {{
      # SHELLS
      default = let x = 1; in devenv.lib.mkShell {{ inherit pkgs; }};
    }});
  }};
}}""",
    "other files with shells": f"""{{
  inputs.{NIXPKGS}
  outputs = {{ nixpkgs, ... }}: {{
    # OUTPUTS
    lib.modules = [ ./a/home.nix ];
    devShells.x86_64-linux.default = import ./nix/shell.nix {{ pkgs = nixpkgs.legacyPackages.x86_64-linux; }};
  }};
}}""",
    "eachDefaultSystem": f"""{{
  inputs = {{ {NIXPKGS} {UTILS} }};
  outputs = {{ self, nixpkgs, flake-utils }}: flake-utils.lib.eachDefaultSystem (system:
    let pkgs = import nixpkgs {{ inherit system; }}; in {{
      # SYSTEM
      devShells.default = pkgs.mkShell {{
        packages = [ ];
      }};
    }});
}}""",
    "eachDefaultSystem without a shell": f"""{{
  inputs = {{ {NIXPKGS} {UTILS} }};
  outputs = {{ self, nixpkgs, flake-utils }}: flake-utils.lib.eachDefaultSystem (
    target: {{
      # SYSTEM
      packages.default = nixpkgs.legacyPackages.${{target}}.zlib;
    }});
}}""",
    "perSystem": f"""{{
  inputs = {{ {NIXPKGS} {PARTS} }};
  outputs = inputs@{{ flake-parts, ... }}: flake-parts.lib.mkFlake {{ inherit inputs; }} {{
    systems = {SYSTEMS};
    perSystem = {{ pkgs, ... }}: {{
      # SYSTEM
      packages.default = pkgs.zlib;
    }};
  }};
}}""",
    "perSystem with a shell": f"""{{
  inputs = {{ {NIXPKGS} {PARTS} }};
  outputs = inputs@{{ flake-parts, ... }}: flake-parts.lib.mkFlake {{ inherit inputs; }} {{
    systems = {SYSTEMS};
    perSystem = {{ pkgs, ... }}: {{
      # SYSTEM
      devShells.default = pkgs.mkShell {{
        packages = [ pkgs.zlib ];
      }};
    }};
  }};
}}""",
    "perSystem in a module": f"""{{
  inputs = {{ {NIXPKGS} {PARTS} }};
  outputs = inputs@{{ flake-parts, ... }}: flake-parts.lib.mkFlake {{ inherit inputs; }} {{
    systems = {SYSTEMS};
    imports = [ ./nix/module.nix ];
  }};
}}""",
    "flake-parts without perSystem": f"""{{
  inputs = {{ {NIXPKGS} {PARTS} }};
  outputs = inputs@{{ flake-parts, ... }}: flake-parts.lib.mkFlake {{ inherit inputs; }} {{
    systems = {SYSTEMS};
    # MODULE
  }};
}}""",
}
BESIDE = {
    "a/home.nix": "{ pkgs }: { default = pkgs.mkShell { }; }\n",
    "nix/shell.nix": "{ pkgs }:\npkgs.mkShell {\n  packages = [ pkgs.zlib ];\n}\n",
    "nix/module.nix": "{ ... }:\n{\n  perSystem =\n    { pkgs, ... }:\n    {\n      # SYSTEM\n"
    "      packages.default = pkgs.zlib;\n    };\n}\n",
}
GROUP = re.compile(r"^ +# (?P<place>.+):\n", re.MULTILINE)
PLACE = re.compile(r"(?P<what>.*?)(?: in (?P<file>[\w./]+):(?P<line>\d+))?(?:[,;] .*)?")


def paste(folder: Path, entry: str, lines: str) -> None:
    """Put each group of lines where its comment says, and fail if there is no such place."""
    first, *rest = GROUP.split(lines)
    groups = list(zip(rest[::2], rest[1::2], strict=True))
    groups = [
        (groups[number - 1][0] if "same place" in place else place, text) for number, (place, text) in enumerate(groups)
    ]
    # Line numbers are right until other lines are put above, so places at marks come last.
    for place, text in sorted([("", first)][: bool(first.strip())] + groups, key=lambda one: "mkShell" not in one[0]):
        match = PLACE.fullmatch(place)
        assert match
        file = folder / (match["file"] or entry)
        before, after = file.read_text(), ""
        if match["what"].endswith("arguments of `mkShell`") or "`inputsFrom`" in match["what"]:
            at = sum(map(len, before.splitlines(keepends=True)[: int(match["line"]) - 1]))
            opening = "inputsFrom = [" if "`inputsFrom`" in match["what"] else "{"
            at = before.index(opening, before.index("mkShell", at)) + len(opening)
            after = before[:at] + "\n" + text + before[at:]
        else:
            mark = next(mark for what, mark in MARKS.items() if match["what"].startswith(what))
            assert before.count(mark) == 1, (place, before)
            after = before.replace(mark, f"{text}\n{mark}")
        file.write_text(after)


def project(folder: Path, **files: str) -> Path:
    """Write a project and the files of the user."""
    for name, text in {"pyproject.toml": PYPROJECT, **BESIDE, **files}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


@pytest.mark.parametrize("form", FORMS)
def test_the_lines_give_the_shell_of_a_flake(form: str, tmp_path: Path, nixpy: Nixpy) -> None:
    """Both Nixes evaluate the flake with the lines, the shell has nixpy's hook, and nothing is left to report."""
    folder = project(tmp_path, **{"flake.nix": FORMS[form]})
    made = nixpy("init", folder, "--offline", "--format", "json").project
    assert [one["code"] for one in made["problems"]] == ["NIX220"]
    paste(folder, "flake.nix", made["lines"])
    again = nixpy("init", folder, "--offline", "--format", "json").project
    assert (again["problems"], again["lines"]) == ([], None)
    assert nixpy("check", folder, "--format", "json").project["problems"] == []
    evaluate(folder, "26.05")
    lock_flake(folder, "26.05")
    name = "nixpy" if made["lines"].count("nixpy = (") or ".nixpy = (" in made["lines"] else "default"
    hook = CURRENT.eval_json(f'(builtins.getFlake "path:{folder}").devShells.x86_64-linux.{name}.shellHook')
    assert "nixpy" in hook


@pytest.mark.parametrize("name", ["shell.nix", "default.nix"])
@pytest.mark.parametrize(
    "text",
    [
        "{ pkgs ? import <nixpkgs> { } }:\npkgs.mkShell {\n  packages = [ pkgs.zlib ];\n}\n",
        "let pkgs = import <nixpkgs> { }; in\nwith pkgs;\nmkShell rec {\n  x = { y = 1; }.y;\n  inputsFrom = [ ];\n}\n",
    ],
)
def test_the_lines_give_the_shell_without_a_flake(name: str, text: str, tmp_path: Path, nixpy: Nixpy) -> None:
    """The user's own shell.nix or default.nix gets its lines, and no flake.nix is written."""
    folder = project(tmp_path, **{name: text})
    made = nixpy("init", folder, "--offline", "--format", "json").project
    assert not (folder / "flake.nix").exists()
    assert (folder / "shell.nix").exists() == (name == "shell.nix")
    assert [one["code"] for one in made["problems"]] == ["NIX220"]
    paste(folder, name, made["lines"])
    again = nixpy("init", folder, "--offline", "--format", "json").project
    assert (again["problems"], again["lines"]) == ([], None)
    hook = CURRENT.eval_json(
        f"(import {folder}/{name}{' { }' if text.startswith('{') else ''}).shellHook",
        environment={"NIX_PATH": f"nixpkgs={stand_in('26.05')}"},
    )
    assert "nixpy" in hook
