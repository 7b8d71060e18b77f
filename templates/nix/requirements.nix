# Checks that an environment meets the requirements of the project.
# Takes the project, the environment, packages that have another name in nixpkgs, and the requirements.
# Returns a derivation that fails with a list of the packages that are missing or have another version. It reads the
# metadata of the installed packages, with extras, and evaluates markers for this system.
self: project: environment: standIns: requirements:
let
  inherit (self) lib pkgs;
  inherit (project) interpreter;
in
pkgs.runCommand "nixpy-requirements-check"
  {
    PYTHONPATH = "${interpreter.pkgs.packaging}/${interpreter.sitePackages}";
    asked = lib.concatMapStrings (line: "${line}\n") requirements;
    installed = "${environment}/${interpreter.sitePackages}";
    # The package may have another name in nixpkgs: psycopg2 for psycopg2-binary.
    standIns = lib.concatMapStrings (
      entry: "${entry.key}=${entry.package}/${interpreter.sitePackages}\n"
    ) standIns;
  }
  ''
    ${interpreter.interpreter} ${pkgs.writeText "compare.py" self."programs/compare"}
    touch $out
  ''
