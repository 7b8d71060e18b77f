# The project itself as a package.
# Takes the project, nixpkgs' Python set and the wheels, the function that builds it, its dependencies where the package
# is to bring them along, else null; and the facts. Returns { application, build-system, apps }; `apps` are those of the
# project's programs in a package that has them.
self: project: ps: fromWheel: builder: dependencies:
{
  name,
  version,
  source,
  file ? "nixpy.nix", # the generated file, which is no part of the package
  description ? null,
  homepage ? null,
  build-system ? [ "setuptools" ], # what a project without a build system means (PEP 517)
  requires ? [ ],
  scripts ? [ ],
  main ? null,
  modules ? [ ], # what the programs import
  variables ? [ ], # where a build tool reads the version, as there is no Git
  relax ? [ ], # packages of which any version will do; true for all
  relax-build ? false,
}:
let
  inherit (self) lib;
  tool =
    spellings:
    let
      found = self.first-of ps spellings;
      name = lib.head (lib.splitString " or " spellings);
      error = "nixpy: nixpkgs has no ${name}, which builds the project; `nixpy package ${name}` makes one for `pythonPackagesExtensions`";
    in
    if found != null then found else fromWheel.${name} or (throw error);
  tools = map tool build-system;
  brings = dependencies != null;
  application = builder (
    {
      pname = name;
      inherit version;
      pyproject = true;
      # Without what Git, Nix and virtual environments leave in the folder.
      src = lib.cleanSourceWith {
        src = source;
        filter =
          path: _:
          !lib.elem (baseNameOf path) [
            ".direnv"
            ".git"
            ".venv"
            "__pycache__"
            "nixpy.lock"
            file
            "result"
          ];
      };
      build-system = tools;
      meta = lib.filterAttrs (_: text: text != null) {
        inherit description homepage;
        mainProgram = main;
      };
    }
    // lib.optionalAttrs (variables != [ ]) { env = lib.genAttrs variables (_: version); }
    // lib.optionalAttrs brings { dependencies = dependencies requires; }
    // lib.optionalAttrs (!brings) { dontCheckRuntimeDeps = true; } # they are beside it in the environment
    // lib.optionalAttrs (project.external != null) project.external.inputs
    // lib.optionalAttrs (brings && project.external != null) {
      makeWrapperArgs = project.external.wrapperArgs;
    }
    // lib.optionalAttrs (relax != [ ]) { pythonRelaxDeps = relax; }
    // lib.optionalAttrs relax-build { pypaBuildFlags = [ "--skip-dependency-check" ]; }
    // lib.optionalAttrs (brings && modules != [ ]) { pythonImportsCheck = modules; }
  );
in
{
  inherit application;
  build-system = tools;
  apps =
    package:
    let
      apps = self.apps package name scripts;
    in
    apps // lib.optionalAttrs (scripts != [ ]) { default = apps.${main}; };
}
