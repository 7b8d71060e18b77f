# Style poetry2nix: poetry.lock built by poetry2nix, which is unmaintained.
# What to expect: an old lock breaks today's build tools, since they get the locked versions too (hatchling needs pluggy
# 1.0); what is built from source lacks the libraries that only its tests need; and overrides for C libraries are of the
# versions of their day. So wheels are preferred, tests are off, and what a wheel needs is read from it.
# Takes the project, and where poetry.lock lies with the extras and groups. Returns outputs for project.nix.
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
