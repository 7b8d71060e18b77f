# The project itself as a package.
# Takes the project, nixpkgs' Python set, the wheels, the function that builds the package, a function that returns its
# dependencies, or null if the environment has them already, and the facts.
# Returns { application, build-system, apps }; `apps` is a function from a package to apps for the project's programs.
self: project: ps: fromWheel: builder: dependencies:
{
  name,
  version,
  source,
  file ? "nixpy.nix", # the generated file, which the package does not contain
  description ? null,
  homepage ? null,
  build-system ? [ "setuptools" ], # the default of PEP 517
  requires ? [ ],
  scripts ? [ ],
  main ? null,
  modules ? [ ], # modules that the programs import
  variables ? [ ], # variables from which a build tool reads the version, since there is no Git
  relax ? [ ], # packages of which any version is accepted; true for all
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
  standalone = dependencies != null;
  application = builder (
    {
      pname = name;
      inherit version;
      pyproject = true;
      # Leave out files of Git, Nix and virtual environments.
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
    // lib.optionalAttrs standalone { dependencies = dependencies requires; }
    // lib.optionalAttrs (!standalone) { dontCheckRuntimeDeps = true; } # the environment has the dependencies
    // lib.optionalAttrs (project.external != null) project.external.inputs
    // lib.optionalAttrs (standalone && project.external != null) {
      makeWrapperArgs = project.external.wrapperArgs;
    }
    // lib.optionalAttrs (relax != [ ]) { pythonRelaxDeps = relax; }
    // lib.optionalAttrs relax-build { pypaBuildFlags = [ "--skip-dependency-check" ]; }
    // lib.optionalAttrs (standalone && modules != [ ]) { pythonImportsCheck = modules; }
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
