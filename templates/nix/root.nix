# Commands that run inside a separate root file system.
# Takes the project and the command that starts the root, empty on macOS. Inside the root, NIXPY_FHS is set.
# Returns { enter, python, lastHook, apps }.
self: project: root:
let
  inherit (self) isLinux lib pkgs;
  inherit (project) interpreter;

  # `nixpy-fhs CMD` runs a command in the root. Inside the root, or on macOS, it only runs the command.
  enter = pkgs.writeShellScriptBin "nixpy-fhs" ''
    if [ -n "''${NIXPY_FHS-}" ]; then set -- "''${@:-bash}"; else set -- ${root} "$@"; fi
    exec "$@"
  '';

  # Outside the root, `python` starts the Python inside it.
  start = pkgs.writeShellScript "nixpy-fhs-python" ''
    name=''${0##*/}
    [ -n "''${NIXPY_FHS-}" ] || exec ${root} "$name" "$@"
    [ ! -x /usr/bin/"$name" ] || exec /usr/bin/"$name" "$@"
    echo "nixpy: no $name: no environment is active" >&2
    exit 127
  '';
  entrance = pkgs.runCommand "nixpy-fhs-python" { meta.mainProgram = "python3"; } ''
    mkdir -p $out/bin
    for name in python python3 ${interpreter.executable}; do
      ln -s ${start} $out/bin/"$name"
    done
  '';
in
{
  inherit enter;
  python = if isLinux then entrance else interpreter;

  # `nix develop -c` and direnv do not enter the root, since they run commands outside of it.
  lastHook = ''
    # Only an interactive shell enters the root. With `nix develop -c` and direnv, use `nixpy-fhs CMD`.
    case "$-" in
      *i*) if [ -n "${root}" ] && [ -z "''${NIXPY_FHS-}" ]; then exec ${root}; fi ;;
    esac
  '';
  apps = lib.optionalAttrs isLinux {
    fhs = {
      type = "app";
      program = lib.getExe enter;
      meta.description = "Run a command where /lib and /usr/lib exist";
    };
  };
}
