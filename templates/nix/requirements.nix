# Checks that an environment has what the project asks for.
# Takes the project, the environment, packages that go by another name than that of the index, and the requirements.
# Returns a derivation that fails with a list of what is missing or of another version: by the metadata of what is
# installed, its extras too, and the markers that hold here.
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
    # nixpkgs' package may have a name of its own, as psycopg2 has for psycopg2-binary.
    standIns = lib.concatMapStrings (
      entry: "${entry.key}=${entry.package}/${interpreter.sitePackages}\n"
    ) standIns;
  }
  ''
    ${interpreter.interpreter} ${pkgs.writeText "compare.py" self."programs/compare"}
    touch $out
  ''
