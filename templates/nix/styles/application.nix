# Style application: the project as a package of nixpkgs' Python packages, and locked wheels for what nixpkgs lacks.
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

  # The build fails if a package is missing, or of a version that the project does not admit.
  built = self.own project set.ps set.fromWheel set.ps.buildPythonApplication set.packagesFor own;

  # For work on it: an interpreter with everything that it asks for.
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
      # The project's code is imported from where it lies.
      if [ -d src ]; then export PYTHONPATH=$PWD/src; fi
    '';
  };
  checks = lib.optionalAttrs (requirements != [ ]) {
    requirements = self.requirements project environment (set.taken set.direct) requirements;
  };
}
