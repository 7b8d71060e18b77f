# Style fhs: a root file system with /lib and /usr/lib. Wheels and their programs run in it as on other distributions.
# Its loader searches the folder of the host's graphics driver by itself, after everything else.
# Takes the project, and no facts of its own. Returns outputs for project.nix.
self: project:
{ }:
let
  inherit (self) isLinux lib pkgs;
  inherit (project) interpreter libraries;
  native = project.shell.native or [ ];
  first = lib.optionalString (native != [ ]) "${lib.makeBinPath native}:";
  active = " PATH=${first}\${VIRTUAL_ENV:+$VIRTUAL_ENV/bin:}$PATH";
  fhs = pkgs.buildFHSEnv {
    name = "nixpy-fhs";
    targetPkgs =
      _:
      [
        interpreter
        libraries
      ]
      ++ self.root-packages project;
    profile = "export NIXPY_FHS=1" + lib.optionalString (project.manager != null) active;
    runScript = pkgs.writeShellScript "nixpy-fhs-run" ''
      if [ $# -gt 0 ]; then exec "$@"; else exec bash; fi
    '';
  };
  # bubblewrap exists only for Linux, and macOS needs no root.
  root = if isLinux then lib.getExe' fhs "nixpy-fhs" else "";
  ways = self.root project root;
in
{
  inherit (ways) apps python;
  shell = {
    inherit (ways) lastHook;
    packages = [
      ways.python
      ways.enter
    ];
    fill = {
      inherit root;
      folder = "${if isLinux then "/usr" else interpreter}/bin";
      enter = "nixpy-fhs ";
    };
  };
}
