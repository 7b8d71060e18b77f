# Ways into a root file system of its own.
# Takes the project and the command that starts the root, empty on macOS. Inside, NIXPY_FHS is set.
# Returns { enter, python, lastHook, apps }.
self: project: root:
let
  inherit (self) isLinux lib pkgs;
  inherit (project) interpreter;

  # `nixpy-fhs CMD` runs a command in the root. In there already, or on macOS, it just runs it.
  enter = pkgs.writeShellScriptBin "nixpy-fhs" ''
    if [ -n "''${NIXPY_FHS-}" ]; then set -- "''${@:-bash}"; else set -- ${root} "$@"; fi
    exec "$@"
  '';

  # Outside of the root, `python` is the one in there.
  start = pkgs.writeShellScript "nixpy-fhs-python" ''
    name=''${0##*/}
    [ -n "''${NIXPY_FHS-}" ] || exec ${root} "$name" "$@"
    [ ! -x /usr/bin/"$name" ] || exec /usr/bin/"$name" "$@"
    echo "nixpy: no environment is active, so there is no $name" >&2
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

  # Only a person's shell moves in: `nix develop -c` and direnv stay here, with `nixpy-fhs CMD`.
  lastHook = ''
    # Only a person's shell moves in: `nix develop -c` and direnv stay here, with `nixpy-fhs CMD`.
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
