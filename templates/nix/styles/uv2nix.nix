# Style uv2nix: uv.lock built by uv2nix, with the libraries that each wheel needs.
# Takes the project, the folder of uv.lock, and facts that are not in the lock. Returns outputs for project.nix.
self: project:
{
  source,
  extras ? [ ],
  groups ? [ ],
  members ? [ ], # the members of the workspace to install; all, if none is named
  overrides ? null,
  sdists ? { }, # { NAME = [ BUILD-SYSTEM ]; } for packages without a wheel on some system
}:
let
  inherit (self) lib pkgs;
  inherit (project) external interpreter;
  pyproject-nix = self.input project "pyproject-nix";
  workspace = (self.input project "uv2nix").lib.workspace.loadWorkspace { workspaceRoot = source; };
  # Like uv, build and install the project itself only if it has a build system.
  pyproject = lib.importTOML (source + "/pyproject.toml");
  packaged = pyproject.tool.uv.package or (pyproject ? build-system);
  own = pyproject-nix.lib.pypa.normalizePackageName pyproject.project.name;

  # Each package in the version of uv.lock, as a wheel if there is one. A lock does not contain build systems.
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

  # Dependencies of the project's build that are not Python packages.
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

  # As with pip, two wheels may contain the same file: the first is used.
  makeEnvironment =
    set: name: spec:
    (set.mkVirtualEnv name spec).overrideAttrs {
      venvIgnoreCollisions = [ "*" ];
      meta.mainProgram = "python";
    };
  chosen = set: if members == [ ] then set else lib.getAttrs members set;
  environment = makeEnvironment pythonSet "uv2nix-env" (chosen workspace.deps.default);

  # The environment of the shell has the project in editable form, so that a change needs no build. It has the extras
  # and groups that nixpy analysed.
  editable = pythonSet.overrideScope (
    lib.composeExtensions (workspace.mkEditablePyprojectOverlay { root = "$REPO_ROOT"; }) (
      final: prev:
      lib.optionalAttrs (packaged && pyproject.build-system.build-backend or "" == "hatchling.build") {
        # hatchling needs `editables` for an editable build, and its metadata does not name it.
        ${own} = prev.${own}.overrideAttrs (old: {
          nativeBuildInputs = old.nativeBuildInputs ++ final.resolveBuildSystem { editables = [ ]; };
        });
      }
    )
  );
  development = makeEnvironment editable "uv2nix-dev-env" (
    lib.mapAttrs (_: lib.intersectLists (lib.unique (extras ++ groups))) (chosen workspace.deps.all)
  );

  table = pyproject.project or { };
  programs = lib.attrNames (table.scripts or { } // table.gui-scripts or { });
  # Put the programs of [external] on PATH, since the project's programs start them.
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
  # Only the programs of the project, without the interpreter and without programs of other packages.
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
      # Nix builds the environment. uv locks and installs nothing; you do not need `uv run`.
      export UV_NO_SYNC=1 UV_PYTHON=${interpreter.interpreter}
      # The project's sources are below the folder of uv.lock: this folder, or one above.
      REPO_ROOT=$PWD
      until [ -e "$REPO_ROOT/uv.lock" ] || [ "$REPO_ROOT" = / ]; do
        REPO_ROOT=$(dirname "$REPO_ROOT")
      done
      export REPO_ROOT
    '';
  };
}
