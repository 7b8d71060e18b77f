# Style application: the project as a package, with dependencies from nixpkgs, and locked wheels for those it lacks.
# Takes the project and the facts that own.nix, python-set.nix and requirements.nix name. Returns outputs for
# project.nix.
self: project:
{
  own,
  wheels,
  packages,
  others ? { },
  versions ? "nixpkgs",
  requirements ? [ ],
}:
let
  inherit (self) lib;
  inherit (project) interpreter;
  set = self.python-set project {
    inherit
      others
      packages
      versions
      wheels
      ;
  };

  # The build fails if a package is missing, or if the requirements of the project exclude its version.
  built = self.own project set.ps set.fromWheel set.ps.buildPythonApplication set.packagesFor own;

  # For development: an interpreter with all dependencies of the project.
  environment = interpreter.withPackages (_: set.packagesFor set.direct ++ built.build-system);
in
{
  python =
    if project.external == null then
      environment
    else
      environment.override { makeWrapperArgs = project.external.wrapperArgs; };
  packages.default = built.application;
  apps = built.apps built.application;
  shell = {
    libraries = false;
    owner = "project";
    venvHook = ''
      # Import the project's code from its folder.
      if [ -d src ]; then export PYTHONPATH=$PWD/src; fi
    '';
  };
  checks = lib.optionalAttrs (requirements != [ ]) {
    requirements = self.requirements project environment (set.taken set.direct) requirements;
  };
}
