# Installs the locked packages into .venv with uv, pip, Poetry or PDM.
# Takes the project, its Python, the values below from a style with its own root, and the manager's facts.
# Returns { packages, variables, hook } for the shell; after the hook, .venv is filled and active.
self: project: python:
{
  folder ? "${python}/bin", # the folder of the Python that creates .venv
  enter ? "", # the prefix of a command that runs in the root
  root ? "", # the command that starts the root; empty on macOS
}:
{
  name,
  package ? null,
  variables ? { },
  create,
  copies ? false,
  install,
  constraints ? null, # nixpy.lock, if its versions hold because there is no lock
  files,
}:
let
  inherit (self) lib pkgs;
  inherit (project) interpreter venv;
  optional = lib.optionalString;
  uv = optional (name == "uv");
  unlocked = optional (constraints != null);
  # Its path changes with its content, so that other versions are installed when nixpy.lock has changed.
  constraintsFile = builtins.toFile "nixpy-constraints.txt" (self."manager/constraints" constraints);
  # All members of a workspace use the .venv in a folder above; their shells wait for each other.
  shared = venv != ".venv";
  whole = if shared then "$(cd -P ${dirOf venv} && pwd)/.venv" else "$PWD/.venv";
  all = format: lib.concatMapStrings (file: format (lib.escapeShellArg file)) files;

  # A root puts .venv first on PATH itself. Elsewhere, programs of nixpkgs that replace those of wheels come first.
  outside = optional (enter != "") "[ -n \"${root}\" ] || ";
  native = lib.optionals (enter == "") project.shell.native or [ ];
  first = optional (native != [ ]) "${lib.makeBinPath native}:";

  # Creates .venv if it does not exist, and fills it when one of `files` has changed. It runs each time the shell
  # starts, also in direnv, `nix develop -c` and CI; if nothing has changed, it only compares. If it fails, for example
  # without a network, the shell starts nevertheless.
  fill = pkgs.writeShellScript "nixpy-fill" ''
    run() {
      echo "nixpy: $*" >&2
      if ! "$@" >&2 9<&-; then
        echo "nixpy: ${venv} could not be updated; to retry: $*" >&2
        ${unlocked "echo \"nixpy: if the requirements changed, run first: nixpy sync\" >&2\n    "}exit
      fi
    }
    # An editor and a terminal may start shells at the same time: this script holds a lock until it ends.
    exec 9<${if shared then lib.head files else project.lock}
    ${interpreter.interpreter} -Ic '
    import errno, fcntl, sys
    try:
        fcntl.flock(9, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        print("nixpy: waiting for another shell that is updating .venv", file=sys.stderr)
        fcntl.flock(9, fcntl.LOCK_EX)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOLCK, errno.ENOTSUP):  # not every file system has locks
            raise
    '
    # Ignore an environment that is already active, and the Python that is set for uv elsewhere.
    unset VIRTUAL_ENV
    python=${folder}/${interpreter.executable}
    PATH=$(dirname "$python"):$PATH
    ${uv "export UV_PROJECT_ENVIRONMENT=${whole} UV_PYTHON=$python\n"}[ -e ${venv} ] || run ${create}
    ${optional copies (self."manager/copies" venv interpreter.executable)}same='import sys; sys.exit("python%d.%d" % sys.version_info[:2] != "${interpreter.libPrefix}")'
    if ! ${venv}/bin/python -Ic "$same" 2>/dev/null; then
      echo "nixpy: ${venv} was created with another Python; remove ${venv} and enter the shell again" >&2
      exit 1
    fi
    ${uv "UV_PYTHON=$PWD/${venv}/bin/python\n"}set -- ${install}${unlocked " -c ${constraintsFile}"}
    wanted="$* $(sha256sum${all (file: " ${file}")})"
    if [ "$(cat ${venv}/nixpy-filled 2>/dev/null)" != "$wanted" ]; then
      run "$@"
      echo "$wanted" >${venv}/nixpy-filled
    fi
  '';
in
{
  inherit variables;
  packages = lib.remove null [ package ];
  hook = ''
    # Fill .venv from the lock and activate it. With NIXPY_INSTALL=0 it is not changed.
    if ${all (file: "[ -f ${file} ] && ")}{ [ "''${NIXPY_INSTALL-}" = 0 ] || ${enter}${fill}; }; then
      if [ -d ${venv}/bin ]; then
        export VIRTUAL_ENV=${whole}
        ${uv "unset UV_PROJECT_ENVIRONMENT\n    "}${outside}export PATH=${first}$VIRTUAL_ENV/bin:$PATH
      fi
    fi
  '';
}
