# Style uv2nix: uv.lock built by uv2nix, with the libraries that each wheel needs.
# Takes the project, where uv.lock lies, and what the lock does not say. Returns outputs for project.nix.
self: project:
{
  source,
  extras ? [ ],
  groups ? [ ],
  overrides ? null,
  sdists ? { }, # { NAME = [ BUILD-SYSTEM ]; } for packages without a wheel on some system
}:
let
  inherit (self) lib pkgs;
  inherit (project) external interpreter;
  pyproject-nix = self.input project "pyproject-nix";
  workspace = (self.input project "uv2nix").lib.workspace.loadWorkspace { workspaceRoot = source; };
  # uv, too, builds and installs the project itself only where it says by what.
  pyproject = lib.importTOML (source + "/pyproject.toml");
  packaged = pyproject.tool.uv.package or (pyproject ? build-system);
  own = pyproject-nix.lib.pypa.normalizePackageName pyproject.project.name;

  # Each package as uv.lock has it, as a wheel where there is one. Build systems are in no lock.
  pythonSet =
    (pkgs.callPackage pyproject-nix.build.packages { python = interpreter; }).overrideScope
      (
        lib.composeManyExtensions (
          [
            (self.input project "pyproject-build-systems").overlays.wheel
            (workspace.mkPyprojectOverlay { sourcePreference = "wheel"; })
          ]
          ++ lib.optional (overrides != null) (self.overrides project "overrideAttrs" overrides)
          ++ lib.optional (external != null) withExternal
          ++ lib.optional (sdists != { }) withBuildSystems
        )
      );

  # What the project itself needs besides wheels, to be built.
  withExternal =
    _final: prev:
    lib.optionalAttrs packaged {
      ${own} = prev.${own}.overrideAttrs (old: {
        nativeBuildInputs = old.nativeBuildInputs or [ ] ++ external.build;
        buildInputs = old.buildInputs or [ ] ++ external.host;
      });
    };
  withBuildSystems =
    final: prev:
    lib.mapAttrs (
      name: systems:
      prev.${name}.overrideAttrs (
        old:
        lib.optionalAttrs (old.passthru.format == "pyproject") (
          {
            nativeBuildInputs =
              old.nativeBuildInputs or [ ]
              ++ final.resolveBuildSystem (lib.genAttrs (lib.filter (system: prev ? ${system}) systems) (_: [ ]))
              ++ external.build or [ ];
          }
          // lib.optionalAttrs (external != null) {
            buildInputs = old.buildInputs or [ ] ++ external.host;
          }
        )
      )
    ) (builtins.intersectAttrs prev sdists);

  # Wheels may bring the same file, as they may for pip: the first wins.
  makeEnvironment =
    set: name: spec:
    (set.mkVirtualEnv name spec).overrideAttrs {
      venvIgnoreCollisions = [ "*" ];
      meta.mainProgram = "python";
    };
  environment = makeEnvironment pythonSet "uv2nix-env" workspace.deps.default;

  # The shell's has the project as a pointer to its sources, so that a change needs no build, and those of
  # all extras and groups that were analysed.
  editable = pythonSet.overrideScope (
    lib.composeExtensions (workspace.mkEditablePyprojectOverlay { root = "$REPO_ROOT"; }) (
      final: prev:
      lib.optionalAttrs (packaged && pyproject.build-system.build-backend or "" == "hatchling.build") {
        # hatchling wants it for this and does not say so beforehand.
        ${own} = prev.${own}.overrideAttrs (old: {
          nativeBuildInputs = old.nativeBuildInputs ++ final.resolveBuildSystem { editables = [ ]; };
        });
      }
    )
  );
  development = makeEnvironment editable "uv2nix-dev-env" (
    lib.mapAttrs (_: lib.intersectLists (lib.unique (extras ++ groups))) workspace.deps.all
  );

  table = pyproject.project or { };
  programs = lib.attrNames (table.scripts or { } // table.gui-scripts or { });
  # A program finds what it starts.
  started =
    name: app:
    if external == null then
      app
    else
      app
      // {
        program = toString (
          pkgs.writeShellScript name ''
            export PATH=${lib.makeBinPath external.run}:$PATH
            exec ${app.program} "$@"
          ''
        );
      };
in
{
  python = environment;
  # Its programs alone, without the interpreter and the programs of others.
  packages.${if packaged then "application" else null} =
    (pkgs.callPackages pyproject-nix.build.util { }).mkApplication
      {
        venv = environment;
        package = pythonSet.${own};
      };
  apps = lib.optionalAttrs packaged (
    lib.mapAttrs started (self.apps environment "the project" programs)
  );
  shell = {
    packages = [
      development
      pkgs.uv
    ];
    hook = ''
      # The environment is Nix's: uv locks, and installs nothing. `uv run` is not needed here.
      export UV_NO_SYNC=1 UV_PYTHON=${interpreter.interpreter}
      # The project's sources are below the folder of uv.lock, here or above.
      REPO_ROOT=$PWD
      until [ -e "$REPO_ROOT/uv.lock" ] || [ "$REPO_ROOT" = / ]; do
        REPO_ROOT=$(dirname "$REPO_ROOT")
      done
      export REPO_ROOT
    '';
  };
}
