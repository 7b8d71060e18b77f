# Style patched-venv: files of .venv get a run path, and programs there an interpreter, after each install.
# Python is the plain interpreter. `nixpy-patch` gives new files their libraries, `nixpy-patch --restore` puts the
# originals back. The whole program is here, so that the shell needs no nixpy; `nixpy patch` runs the same.
# Takes the project and two lists of sonames. Returns outputs for project.nix.
self: project:
{
  hostSonames ? [ ], # of the graphics driver, which is the host's: its folder is named, never looked into here
  openedSonames ? [ ], # opened by name at run time, where no run path helps: Python loads them when it starts
}:
let
  inherit (self) pkgs;
  inherit (project) interpreter;
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
      # What an installer left in .venv since the last time gets its libraries. That fails softly.
      if [ -e .venv/pyvenv.cfg ]; then nixpy-patch --quiet >&2 || true; fi
    '';
    hook = ''
      export NIXPY_PATCH=${settings}
    '';
  };
}
