# Fills .venv with what the lock says, by uv, pip, poetry or pdm.
# Takes the project, its Python, what a style with a root of its own says, and the manager's facts.
# Returns { packages, variables, hook } for the shell; after the hook, .venv is filled and active.
self: project: python:
{
  folder ? "${python}/bin", # of the Python that .venv is made of
  enter ? "", # the command before others that runs them in the root
  root ? "", # the command that starts the root; empty on macOS
}:
{
  name,
  package ? null,
  variables ? { },
  create,
  copies ? false,
  install,
  files,
}:
let
  inherit (self) lib pkgs;
  inherit (project) interpreter;
  optional = lib.optionalString;
  uv = optional (name == "uv");
  all = format: lib.concatMapStrings (file: format (lib.escapeShellArg file)) files;

  # The root puts what is in .venv first by itself; elsewhere that is what stands in for programs which do not start here.
  outside = optional (enter != "") "[ -n \"${root}\" ] || ";
  native = lib.optionals (enter == "") project.shell.native or [ ];
  first = optional (native != [ ]) "${lib.makeBinPath native}:";

  # Makes .venv where there is none, and fills it when one of `files` changed. It runs whenever the shell is entered,
  # also by direnv, `nix develop -c` and CI; when nothing changed it only compares. If it fails, for example without a
  # network, the shell is entered all the same.
  fill = pkgs.writeShellScript "nixpy-fill" ''
    run() {
      echo "nixpy: $*" >&2
      if ! "$@" >&2 9<&-; then
        echo "nixpy: that failed, so .venv is not as it should be; by hand: $*" >&2
        exit
      fi
    }
    # One shell at a time, though an editor and a terminal may enter together: the lock is this script's until it ends.
    exec 9<${project.lock}
    ${interpreter.interpreter} -Ic '
    import errno, fcntl, sys
    try:
        fcntl.flock(9, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        print("nixpy: another shell is at .venv; waiting for it", file=sys.stderr)
        fcntl.flock(9, fcntl.LOCK_EX)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOLCK, errno.ENOTSUP):  # not every file system has locks
            raise
    '
    # No environment that is active by now has a say, nor what chooses a Python for uv elsewhere.
    unset VIRTUAL_ENV
    python=${folder}/${interpreter.executable}
    PATH=$(dirname "$python"):$PATH
    ${uv "export UV_PROJECT_ENVIRONMENT=$PWD/.venv UV_PYTHON=$python\n"}[ -e .venv ] || run ${create}
    ${optional copies (self."manager/copies" interpreter.executable)}same='import sys; sys.exit("python%d.%d" % sys.version_info[:2] != "${interpreter.libPrefix}")'
    if ! .venv/bin/python -Ic "$same" 2>/dev/null; then
      echo "nixpy: .venv is not of this shell's Python; remove it and enter the shell again" >&2
      exit 1
    fi
    ${uv "UV_PYTHON=$PWD/.venv/bin/python\n"}set -- ${install}
    wanted="$* $(sha256sum${all (file: " ${file}")})"
    if [ "$(cat .venv/nixpy-filled 2>/dev/null)" != "$wanted" ]; then
      run "$@"
      echo "$wanted" >.venv/nixpy-filled
    fi
  '';
in
{
  inherit variables;
  packages = lib.remove null [ package ];
  hook = ''
    # .venv is as the lock says, and active. NIXPY_INSTALL=0 leaves it as it is.
    if ${all (file: "[ -f ${file} ] && ")}{ [ "''${NIXPY_INSTALL-}" = 0 ] || ${enter}${fill}; }; then
      if [ -d .venv/bin ]; then
        export VIRTUAL_ENV=$PWD/.venv
        ${uv "unset UV_PROJECT_ENVIRONMENT\n    "}${outside}export PATH=${first}$PWD/.venv/bin:$PATH
      fi
    fi
  '';
}
