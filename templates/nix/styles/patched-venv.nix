# Style patched-venv: files of .venv get a run path, and programs in .venv the loader of nixpkgs, after each install.
# Python itself is not changed. `nixpy-patch` patches new files, `nixpy-patch --restore` restores the original files.
# The whole program is part of this file, so the shell does not need nixpy; `nixpy patch` runs the same program.
# Takes the project and two lists of sonames. Returns outputs for project.nix.
self: project:
{
  hostSonames ? [ ], # sonames of the host's graphics driver: run paths name its folder, the build does not read it
  openedSonames ? [ ], # sonames opened by name at run time, where no run path helps: Python loads them when it starts
}:
let
  inherit (self) pkgs;
  inherit (project) interpreter venv;
  settings = pkgs.writeText "nixpy-patch.json" (
    builtins.toJSON {
      libraries = "${project.libraries}/lib";
      loader = pkgs.stdenv.cc.bintools.dynamicLinker;
      patchelf = "${pkgs.patchelf}/bin/patchelf";
      driver = hostSonames;
      opened = openedSonames;
    }
  );
  patcher = pkgs.writeText "patch_venv.py" self."programs/patch_venv";
  patch = pkgs.writeShellScriptBin "nixpy-patch" ''
    NIXPY_PATCH=${settings} exec ${interpreter.interpreter} -IS ${patcher} "$@"
  '';
in
{
  python = interpreter;
  shell = {
    packages = [
      interpreter
      patch
    ];
    relink = self.relink project interpreter;
    venvHook = ''
      # Patch files that were installed into .venv since the last time. If that fails, the shell starts nevertheless.
      if [ -e ${venv}/pyvenv.cfg ]; then nixpy-patch --quiet ${venv} >&2 || true; fi
    '';
    hook = ''
      export NIXPY_PATCH=${settings}
    '';
  };
}
