# Style poetry2nix: poetry.lock built by poetry2nix, which is unmaintained.
# Known limits: current build tools get the locked versions of their dependencies, and may fail with an old lock
# (hatchling needs pluggy 1.0). Packages built from source lack the libraries that only their tests need. Overrides for
# C libraries are for old versions. So this style prefers wheels, runs no tests, and reads a wheel's needs from the wheel.
# Takes the project, the folder of poetry.lock, extras and groups. Returns outputs for project.nix.
self: project:
{
  source,
  extras ? [ ],
  groups ? [ ],
  overrides ? null,
}:
let
  inherit (self) lib pkgs;
  poetry2nix = (self.input project "poetry2nix").lib.mkPoetry2Nix { inherit pkgs; };
  pyproject = lib.importTOML (source + "/pyproject.toml");
  packaged = pyproject.tool.poetry.package-mode or true;
  common = {
    inherit extras;
    projectDir = source;
    python = project.interpreter;
    preferWheels = true;
    overrides = poetry2nix.defaultPoetryOverrides.extend (
      if overrides == null then _: _: { } else self.overrides project "overridePythonAttrs" overrides
    );
    checkGroups = [ ];
  };
  python = poetry2nix.mkPoetryEnv (common // { inherit groups; });
  plain = poetry2nix.mkPoetryApplication (common // { groups = [ "main" ]; });
  application =
    if project.external == null then
      plain
    else
      plain.overridePythonAttrs (old: {
        nativeBuildInputs = old.nativeBuildInputs or [ ] ++ project.external.build;
        buildInputs = old.buildInputs or [ ] ++ project.external.host;
        makeWrapperArgs = old.makeWrapperArgs or [ ] ++ [
          "--prefix PATH : ${lib.makeBinPath project.external.run}"
        ];
      });
  table = pyproject.tool.poetry or { } // pyproject.project or { };
  programs = lib.attrNames (table.scripts or { } // table.gui-scripts or { });
in
{
  inherit python;
  packages.default = if packaged then application else python;
  apps = lib.optionalAttrs packaged (self.apps application "the project" programs);
  shell.packages = [
    python
    pkgs.poetry
  ];
}
