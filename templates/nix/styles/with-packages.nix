# Style with-packages: Python packages of nixpkgs, and locked wheels for packages that nixpkgs lacks.
# Takes the project and the facts that python-set.nix and requirements.nix name. Returns outputs for
# project.nix.
self: project:
{
  wheels,
  packages,
  others ? { },
  versions ? "nixpkgs",
  requirements ? [ ],
}:
let
  inherit (self) lib;
  inherit (project) interpreter;
  external = project.external != null;
  set = self.python-set project {
    inherit
      others
      packages
      versions
      wheels
      ;
  };
  environment = interpreter.withPackages (_: set.packagesFor set.direct);

  # With its own argv[0], the interpreter belongs to the environment, and a virtual environment that it creates has
  # these packages. nixpkgs does the same since 25.11.
  python = environment.override (
    {
      postBuild = ''
        rm -f $out/bin/python $out/bin/python3 $out/bin/${interpreter.executable}
        makeWrapper ${interpreter.interpreter} $out/bin/${interpreter.executable} \
          --inherit-argv0 \
          --resolve-argv0 \
          --set PYTHONNOUSERSITE true${lib.optionalString external " ${toString project.external.wrapperArgs}"}
        ln -s ${interpreter.executable} $out/bin/python3
        ln -s ${interpreter.executable} $out/bin/python
      '';
    }
    // lib.optionalAttrs external { makeWrapperArgs = project.external.wrapperArgs; }
  );
in
{
  inherit python;
  shell = {
    libraries = false;
    relink = self.relink project python;
  };
  checks = lib.optionalAttrs (requirements != [ ]) {
    requirements = self.requirements project environment (set.taken set.direct) requirements;
  };
}
