# Style fhs: a root file system as other distributions have it, in which wheels and their programs run as they do there.
# Its loader looks into the graphics driver's folder, the host's, by itself and last.
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
  # bubblewrap is for Linux; macOS needs no such root.
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
