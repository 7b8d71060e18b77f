"""`nixpy doctor` on environments broken on purpose, in the box: what it says, and that its commands mend them."""

from __future__ import annotations

import json
import os
import shutil
import site
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from nixos.box.observe import Observed
from nixos.box.patient import NIXPY, PROJECT, Patient, Report
from nixos.box.sandbox import LOADER, Box
from nixos.box.shells import FLAKE, WORK, nixpy
from nixos.box.store import PYTHON, RELEASE, SYSTEM, build
from nixos.realnix import lock_flake
from nixpy.doctor.examine import CHECKS

TOP = Path(__file__).parents[3]
PURE = ("click", "jinja2", "markupsafe", "packaging", "platformdirs", "rich", "tomlkit", "urllib3")
PACKAGES = ("numpy", "psycopg2-binary", "pyodbc")


@pytest.fixture(scope="session")
def nixpy_wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout."""
    folder = tmp_path_factory.mktemp("nixpy")
    command = [sys.executable, "-m", "build", "--no-isolation", "--wheel", "--outdir", str(folder), str(TOP)]
    subprocess.run(command, check=True, capture_output=True)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="session")
def install(nixpy_wheel: Path, built: Mapping[str, Path]) -> Callable[[Box], None]:
    """Puts nixpy and what it needs into a box, for the plain Python there. All of it is pure Python."""

    def install(box: Box) -> None:
        if (box.home / "tools").exists():
            return
        box.run(f"{built['python']}/bin/python3", "-m", "venv", "--without-pip", "tools")
        place = next(box.home.glob("tools/lib/python3*/site-packages"))
        for name in PURE:
            source = next(path / name for path in map(Path, site.getsitepackages()) if (path / name).is_dir())
            shutil.copytree(source, place / name, ignore=shutil.ignore_patterns("__pycache__", "*.so"))
        with zipfile.ZipFile(nixpy_wheel) as archive:
            archive.extractall(place)

    return install


@pytest.fixture(scope="module")
def healthy(tmp_path_factory: pytest.TempPathFactory, install: Callable[[Box], None]) -> Iterator[Patient]:
    """The project as it was made, with a second .venv of the plain interpreter in `plain`; tests copy it."""
    home = tmp_path_factory.mktemp("patient") / "home"
    folder = home / "project"
    folder.mkdir(parents=True)
    (folder / "pyproject.toml").write_text(f"""\
[project]
name = "demo"
version = "0.1.0"
requires-python = ">={PYTHON}"
dependencies = {json.dumps(PACKAGES)}

[tool.nixpy]
manager = "none"
packages = ["uv"]
""")
    nixpy(folder, "init", "--style", "loader", "--python", PYTHON, "--system", SYSTEM)
    lock_flake(folder, RELEASE)
    shutil.copytree(folder, home / "flake")
    # The project itself has a shell.nix: in a flake without git, .venv would be copied to the store.
    (folder / "flake.nix").unlink()
    (folder / "flake.lock").unlink()
    (folder / "shell.nix").write_text("{ pkgs ? import <nixpkgs> { } }: (import ./nixpy.nix { inherit pkgs; }).shell\n")
    patient = Patient(box=Box(home=home))
    install(patient.box)
    options = ("--offline", "--no-write-lock-file")
    (home / "shell").write_text(patient.box.nix("print-dev-env", *options, f"path:{FLAKE}").stdout)
    patient.shell(f"python -m venv .venv && .venv/bin/pip install -q {' '.join(PACKAGES)}")
    yield patient
    shutil.rmtree(home)


@pytest.fixture
def patient(healthy: Patient) -> Iterator[Patient]:
    """The same, and as it was when the test has done with it."""
    kept = healthy.box.home / "kept"
    subprocess.run(["cp", "-al", healthy.folder, kept], check=True)  # much faster than shutil's
    # What lies in site-packages is replaced and never written to, by installers too; all else is no link.
    for folder, names, files in os.walk(kept):
        names[:] = [name for name in names if name != "site-packages"]
        for file in (Path(folder, name) for name in files):
            if not file.is_symlink():
                shutil.copy2(file, copy := file.with_name(f"{file.name}.copy"))
                copy.rename(file)
    yield healthy
    shutil.rmtree(healthy.folder)
    kept.rename(healthy.folder)


def test_a_healthy_project_has_no_findings(healthy: Patient) -> None:
    """In its shell nothing is found, all checks are made, and the facts are those of the machine; outside of the shell
    its .venv is as well.
    """
    report = healthy.doctor()
    assert (report.data["findings"], report.data["not_checked"]) == ([], [])
    facts = report.data["facts"]
    assert (facts["host"]["nixos"], facts["host"]["at_loader"], facts["host"]["loader"]) == (True, "stub", LOADER)
    assert facts["shell"] == {"nix": True, "nixpy": True}
    assert facts["venv"]["python"]["file"].startswith("/nix/store/")
    assert facts["venv"]["python"]["wraps"] is not None
    assert any(folder.endswith("-nixpy-libraries/lib") for folder in facts["started"]["search"])
    outside = healthy.doctor(inside=False)
    assert (outside.data["findings"], outside.data["facts"]["shell"]["nix"]) == ([], False)


def test_text_says_the_same(healthy: Patient) -> None:
    """The text ends with the verdict, and the exit status is it."""
    done = healthy.shell(f"{NIXPY} doctor")
    assert done.stdout.splitlines()[-1] == f"no diagnostic found by {len(CHECKS)} checks"
    assert "nixpy's, style loader" in done.stdout
    done = healthy.shell(f"export PYTHONPATH=/nowhere; {NIXPY} doctor", check=False)
    assert done.returncode == 1
    *_, message, hint, seen, last = done.stdout.splitlines()
    assert message == (
        "error[NIX410]: PYTHONPATH is /nowhere: Python searches its folders before the packages of every virtual "
        "environment"
    )
    assert hint == "  hint: unset PYTHONPATH"
    assert seen.startswith("looked at: ")
    assert last == f"1 diagnostic found by {len(CHECKS)} checks"


@pytest.mark.parametrize("maker", WORK)
def test_the_shells_of_the_matrix_have_no_findings(
    observed: Observed, install: Callable[[Box], None], maker: str
) -> None:
    """In the shell of every style, on virtual environments that were seen to import all of the matrix, nothing is found
    but the programs that do not start there, and that the folder of this flake is no git repository.
    """
    shell = observed.shell
    install(shell.box)
    report = Report(
        json.loads(
            shell.run(
                f"{NIXPY} doctor {FLAKE} --venv .venv --format json || [ $? = 1 ]",
                maker=maker,  # type: ignore[arg-type]
            ).stdout
        )
    )
    assert report.codes == {"NIX222"} | (set() if shell.style.executables else {"NIX407"}), report.data["findings"]
    assert report.data["not_checked"] == []
    required = [one for one in report.data["facts"]["unfound"] if not one["optional"]]
    assert required == []


@pytest.mark.parametrize("style", ["with-packages", "wheel-env"])
def test_packages_of_the_shell(style: str, tmp_path: Path, install: Callable[[Box], None]) -> None:
    """A style whose shell has the packages needs no .venv; once more is asked for, NIX401 and NIX416 say so."""
    home = tmp_path / "home"
    folder = home / "flake"
    folder.mkdir(parents=True)
    text = '[project]\nname = "demo"\nversion = "1"\nrequires-python = ">=3.13"\ndependencies = ["numpy"]\n'
    (folder / "pyproject.toml").write_text(text)
    nixpy(folder, "init", "--style", style, "--python", PYTHON, "--system", SYSTEM)
    lock_flake(folder, RELEASE)
    box = Box(home=home)
    install(box)

    def doctor() -> Report:
        script = f"{NIXPY} doctor {FLAKE} --format json || [ $? = 1 ]"
        options = ("--offline", "--no-write-lock-file", f"path:{FLAKE}")
        return Report(json.loads(box.nix("develop", *options, "-c", "bash", "-euc", script).stdout))

    report = doctor()
    # The folder of this flake is no git repository.
    assert (report.codes, report.data["not_checked"]) == ({"NIX222"}, [])
    settings = folder / "pyproject.toml"
    settings.write_text(settings.read_text().replace('"numpy"', '"numpy", "pandas"'))
    report = doctor()
    assert report.codes == {"NIX222", "NIX401", "NIX416"}
    assert report.one("NIX401")["message"].startswith("pandas of pyproject.toml is not in the shell's /nix/store/")
    nixpy(folder, "sync")
    assert doctor().codes == {"NIX222"}


@pytest.mark.parametrize("observed", ["fhs"], indirect=True)
def test_outside_of_the_root(observed: Observed, install: Callable[[Box], None]) -> None:
    """NIX406: a .venv that was made in the root of style fhs is dead outside, and the command goes in."""
    box = observed.shell.box
    install(box)
    script = f"{NIXPY} doctor {FLAKE} --venv .venv --format json || [ $? = 1 ]"
    options = ("--offline", "--no-write-lock-file", f"path:{FLAKE}")
    report = Report(json.loads(box.nix("develop", *options, "-c", "bash", "-euc", script, cwd=WORK["venv"]).stdout))
    assert "exists only in the root file system of style fhs" in report.one("NIX406")["message"]
    assert report.command("NIX406") == "nixpy-fhs nixpy doctor"


def test_missing_packages(patient: Patient) -> None:
    """NIX401: a package that was taken out of .venv, and one that only another Python has; no .venv at all."""
    patient.shell(".venv/bin/pip uninstall -q -y pyodbc")
    report = patient.doctor()
    assert "pyodbc of pyproject.toml is not installed" in report.one("NIX401")["message"]
    other = "other/lib/python3.13/site-packages/pyodbc-1.dist-info"
    script = f"mkdir -p other/bin {other}; ln -sf $(command -v python) other/bin/python; PATH=$PATH:$PWD/other/bin"
    assert f"pyodbc is installed for {PROJECT}/other/bin/python" in patient.doctor(script).one("NIX401")["message"]
    command = report.command("NIX401")
    assert command == "uv pip install -r pyproject.toml"
    assert "NIX401" not in patient.doctor(f"{command} -q").codes
    report = patient.doctor("rm -r .venv")
    assert "there is no virtual environment" in report.one("NIX401")["message"]
    mended = patient.doctor(f"{report.command('NIX401')} -q")
    assert "NIX401" not in mended.codes
    assert patient.shell(".venv/bin/python -c 'import numpy, pyodbc'").returncode == 0


def test_another_python_on_path(patient: Patient, built: Mapping[str, Path]) -> None:
    """NIX402: a Python of the store in front of the shell's or of an active .venv's; another .venv that is active."""
    intruder = f"export PATH={built['python']}/bin:$PATH"
    report = patient.doctor(intruder)
    message = report.one("NIX402")["message"]
    assert message.startswith(
        f"`python` is {built['python']}/bin/python, because {built['python']}/bin comes first on PATH"
    )
    assert "nixpy's shell is /nix/store/" in message
    assert patient.doctor(f"{intruder}; {report.command('NIX402')}").codes == set()
    active = f"source .venv/bin/activate; {intruder}"
    report = patient.doctor(active)
    assert f"the Python of the virtual environment is {PROJECT}/.venv/bin/python" in report.one("NIX402")["message"]
    assert patient.doctor(f"{active}; {report.command('NIX402')}").codes == set()
    active = "python -m venv --without-pip other; source other/bin/activate"
    report = patient.doctor(active)
    assert f"VIRTUAL_ENV is {PROJECT}/other" in report.one("NIX402")["message"]
    assert patient.doctor(f"{active}; {report.command('NIX402')}").codes == set()


APPLICATION = """\
{ pkgs }:
let
  demo = pkgs.python313Packages.buildPythonApplication {
    pname = "demo";
    version = "1";
    format = "other";
    dontUnpack = true;
    installPhase = ''
      mkdir -p $out/${pkgs.python313.sitePackages}
      echo > $out/${pkgs.python313.sitePackages}/demo.py
    '';
  };
in
pkgs.python313.withPackages (ps: [
  ps.numpy
  demo
])
"""


def test_an_application_in_an_environment(patient: Patient) -> None:
    """NIX403: nixpkgs leaves it out, so the import fails, and doctor names file, line and name; built by
    buildPythonPackage it is imported, and there is no finding.
    """
    file = patient.folder / "env.nix"

    def imported() -> bool:
        env = build(f"import {file} {{ inherit pkgs; }}")
        return patient.box.run(f"{env}/bin/python", "-c", "import demo", check=False).returncode == 0

    file.write_text(APPLICATION)
    assert not imported()
    report = patient.doctor()
    assert report.codes == {"NIX403"}
    assert f"{PROJECT}/env.nix:16: demo is built by buildPythonApplication" in report.one("NIX403")["message"]
    patient.shell(report.command("NIX403"))
    assert imported()
    assert patient.doctor().codes == set()


def plain_venv(patient: Patient, built: Mapping[str, Path]) -> None:
    """Put the packages into a .venv of the bare interpreter, as who made it with that has it."""
    script = f"""
        mv .venv old
        {built["python"]}/bin/python3 -m venv --without-pip .venv
        cp -r old/lib .venv
        rm -r old
    """
    patient.box.run("bash", "-euc", script, cwd=PROJECT)


def test_a_venv_that_bypasses_the_wrapper(patient: Patient, built: Mapping[str, Path]) -> None:
    """NIX405 and NIX409: a .venv of the bare interpreter lacks exactly what the wheels need and cannot import; the
    command puts it on the shell's, and it imports.
    """
    plain_venv(patient, built)
    outside = patient.doctor(inside=False)
    assert outside.codes == {"NIX409"}
    messages = [finding["message"] for finding in outside.all("NIX409")]
    known = "need it, and nixpy.nix supplies it from pkgs.stdenv.cc.cc.lib, but not to this Python"
    assert f"libstdc++.so.6 is not found; numpy, pyodbc {known}" in messages
    assert any(message.startswith("libz.so.1 is not found; psycopg2-binary needs it") for message in messages)
    assert {finding["command"] for finding in outside.all("NIX409")} == {"nix-shell"}
    assert patient.box.run(".venv/bin/python", "-c", "import numpy", cwd=PROJECT, check=False).returncode != 0
    # Entered again, the shell's hook has linked it anew; so it is put back, for who made it in there.
    link = f"for link in .venv/bin/python3; do ln -sfn {built['python']}/bin/python3 $link; done"
    broken = patient.doctor(link)
    assert broken.codes == {"NIX405", "NIX409"}
    mended = patient.doctor(f"{link}; {broken.command('NIX405')}")
    assert mended.codes == set()
    patient.box.run(".venv/bin/python", "-c", "import numpy, psycopg2, pyodbc", cwd=PROJECT)


def test_entering_the_shell_mends_it(patient: Patient, built: Mapping[str, Path]) -> None:
    """NIX409: the command is to enter the shell, and after that nothing is found."""
    plain_venv(patient, built)
    assert patient.doctor().codes == set()
    patient.box.run(".venv/bin/python", "-c", "import numpy, psycopg2, pyodbc", cwd=PROJECT)


def test_nix_ld_is_ignored(patient: Patient, built: Mapping[str, Path]) -> None:
    """NIX404: NIX_LD_LIBRARY_PATH has the library, the bare interpreter does not read it."""
    plain_venv(patient, built)
    settings = f"export NIX_LD_LIBRARY_PATH={built['gcc']}/lib"
    report = patient.doctor(settings, inside=False)
    assert "NIX_LD_LIBRARY_PATH contains libstdc++.so.6, but the Python of" in report.one("NIX404")["message"]
    assert report.command("NIX404") == "nix-shell"
    assert patient.doctor(settings).codes == set()


def test_an_interpreter_that_is_gone(patient: Patient) -> None:
    """NIX406: its store path does not exist any more; the command puts the .venv on the shell's, and it works."""
    gone = "/nix/store/00000000000000000000000000000000-python3-3.13.4"
    python = '"$(find .venv/bin -name "python*" -lname "/nix/store/*")"'
    script = f"ln -sfn {gone}/bin/python3.13 {python}; sed -i 's|^home = .*|home = {gone}/bin|' .venv/pyvenv.cfg"
    report = patient.doctor(script)
    assert f"needs {gone}/bin/python3.13, which does not exist" in report.one("NIX406")["message"]
    assert report.codes == {"NIX406"}
    mended = patient.doctor(f"{script}; {report.command('NIX406')}")
    assert (mended.data["findings"], mended.data["not_checked"]) == ([], [])
    patient.box.run(".venv/bin/python", "-c", "import numpy, psycopg2, pyodbc", cwd=PROJECT)
    patient.shell(script)
    outside = patient.doctor(inside=False)
    assert outside.command("NIX406") == "nix-shell"
    assert patient.doctor().codes == set()


def test_an_interpreter_of_another_state(patient: Patient) -> None:
    """NIX406: a launcher that is not the shell's; the command puts the .venv on the shell's."""
    launcher = "''exec -a \"$0\" ${pkgs.python313.interpreter} \"$@\"''"
    other = build(f'pkgs.writeShellScriptBin "python3.13" {launcher}')
    python = '"$(find .venv/bin -name "python*" -lname "/nix/store/*")"'
    script = f"ln -sfn {other}/bin/python3.13 {python}"
    report = patient.doctor(script)
    assert f"is {other}/bin/python3.13, but the shell's Python is /nix/store/" in report.one("NIX406")["message"]
    assert report.codes == {"NIX406", "NIX409"}
    assert patient.doctor(f"{script}; {report.command('NIX406')}").codes == set()


def test_packages_of_another_python(patient: Patient) -> None:
    """NIX406: what is installed is for another Python than the interpreter; the command makes the .venv anew."""
    script = "mv .venv/lib/python3.13 .venv/lib/python3.12"
    report = patient.doctor(script)
    assert "is Python 3.13, but the packages in" in report.one("NIX406")["message"]
    command = report.command("NIX406")
    assert command == f"rm -r {PROJECT}/.venv && uv venv --clear .venv && uv pip install -r pyproject.toml"
    assert patient.doctor(f"{command} -q").codes & {"NIX401", "NIX406"} == set()


def test_programs_without_nix_ld(patient: Patient, built: Mapping[str, Path]) -> None:
    """NIX407: ruff does not start on the stub, nor on nothing; on nix-ld it does, and there is no finding but where
    NIX_LD names nothing.
    """
    patient.shell(".venv/bin/pip install -q ruff")
    for loader, there in (("stub-ld", "NixOS's stub, which starts no program"), ("nothing", "nothing")):
        stuck = Patient(box=replace(patient.box, host_loader=loader))  # type: ignore[arg-type]
        report = stuck.doctor()
        assert report.codes == {"NIX407"}
        assert report.one("NIX407")["message"].startswith(
            f"ruff contains programs that need the loader {LOADER}, and this machine has {there}"
        )
        assert report.command("NIX407") == "nixpy init --style patched-venv"
    with_it = Patient(box=replace(patient.box, host_loader="nix-ld"))
    settings = f"export NIX_LD={built['glibc']}/lib/ld-linux-x86-64.so.2"
    assert with_it.doctor(settings).codes == set()
    assert with_it.shell(f"{settings}; .venv/bin/ruff --version").returncode == 0
    broken = with_it.doctor("export NIX_LD=/nix/store/gone")
    assert broken.command("NIX407") == "unset NIX_LD"


def test_a_search_path_for_all(patient: Patient, built: Mapping[str, Path]) -> None:
    """NIX408: LD_LIBRARY_PATH with the C++ runtime is named with the danger, another folder without."""
    script = f"export LD_LIBRARY_PATH={built['gcc']}/lib:{PROJECT}"
    report = patient.doctor(script)
    message = report.one("NIX408")["message"]
    assert f"{built['gcc']}/lib (with libgcc_s.so.1, libstdc++.so.6)" in message
    assert "crash" in message
    assert patient.doctor(f"{script}; {report.command('NIX408')}").codes == set()
    harmless = patient.doctor(f"export LD_LIBRARY_PATH={PROJECT}").one("NIX408")["message"]
    assert "crash" not in harmless


@pytest.mark.parametrize(
    ("code", "script"),
    [
        ("NIX410", "export PYTHONPATH=/nowhere"),
        ("NIX410", "export SOURCE_DATE_EPOCH=315532800"),
        ("NIX411", "export UV_PYTHON=$(command -v python)"),
        ("NIX413", "unset UV_PYTHON_DOWNLOADS UV_PYTHON_PREFERENCE UV_OFFLINE"),
    ],
)
def test_variables(healthy: Patient, code: str, script: str) -> None:
    """Each variable is found, and its command takes it away."""
    report = healthy.doctor(script)
    assert report.codes == {code}
    assert healthy.doctor(f"{script}; {report.command(code)}").codes == set()


def test_a_python_that_uv_brought(patient: Patient, built: Mapping[str, Path]) -> None:
    """NIX412: an interpreter for the host's loader does not start on the stub; that is said, what could not be asked of
    it too, and the command makes a .venv that works.
    """
    patchelf = f"{built['patchelf']}/bin/patchelf --set-interpreter {LOADER}"
    copied = f"rm .venv/bin/python*; cp {built['python']}/bin/python3.13 .venv/bin/python; chmod +w .venv/bin/python"
    script = f"{copied}; {patchelf} .venv/bin/python"
    report = patient.doctor(script)
    assert f"which needs the loader {LOADER}; without nix-ld it does not start" in report.one("NIX412")["message"]
    assert {one["check"] for one in report.data["not_checked"]} == {
        "NIX_LD_LIBRARY_PATH",
        "driver",
        "libraries of wheels",
        "modules of Python",
        "symbol versions",
    }
    mended = patient.doctor(f"{report.command('NIX412')} -q")
    assert mended.codes & {"NIX412", "NIX401", "NIX409"} == set()
    assert mended.data["not_checked"] == []
    patient.shell(".venv/bin/python -c 'import numpy, psycopg2, pyodbc'")


def test_files_that_are_stale(patient: Patient) -> None:
    """NIX416: settings that changed; the command, nixpy sync, mends it."""
    with (patient.folder / "pyproject.toml").open("a") as file:
        file.write('\n[tool.nixpy.libraries]\nignore = ["libodbc.so.2"]\n')
    report = patient.doctor()
    assert report.codes == {"NIX416"}
    command = report.command("NIX416")
    assert command == "nixpy sync"
    assert patient.doctor(f"{NIXPY} sync >/dev/null").codes == set()


def test_half_of_everything_is_missing(patient: Patient) -> None:
    """With a lock that is no TOML, a dangling .venv, a Nix file that cannot be read and a git tree without git, the
    checks that can be made are, and each other one is listed with its reason; the exit status is still 1.
    """
    folder = patient.folder
    (folder / ".git").mkdir()
    (folder / "uv.lock").write_text("version = [")
    (folder / "broken.nix").mkdir()
    (folder / "env.nix").symlink_to("nowhere.nix")
    report = patient.doctor("rm -r .venv; ln -s /nowhere .venv; export PYTHONPATH=/nowhere")
    assert "NIX410" in report.codes
    assert {one["check"]: one["reason"] for one in report.data["not_checked"]}.keys() >= {
        "packages of the lock",
        "packages given to withPackages",
        "files of nixpy",
        "files that git knows",
    }
