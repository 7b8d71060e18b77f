# Style pyproject-nix: the project as a package of nixpkgs' Python, by pyproject.nix, which reads pyproject.toml or
# requirements files, and no lock.
# Takes the project, and where it lies. Returns outputs for project.nix.
self: project:
{
  source,
  requirements-files ? [ ],
  extras ? [ ],
  groups ? [ ],
  aliases ? { }, # nixpkgs' packages by the names that the project has for them: { NAME = "ATTRIBUTE or ATTRIBUTE"; }
  unmapped ? [ ], # those that nixpkgs is not known to have
  version ? null, # where only the build tells it, pyproject.nix does not know it
}:
let
  inherit (self) lib pkgs;
  inherit (project) external;
  pyproject-nix = (self.input project "pyproject-nix").lib;
  listed = requirements-files != [ ];
  loaded =
    if listed then
      pyproject-nix.project.loadRequirementsTxt {
        requirements =
          if lib.length requirements-files == 1 then
            lib.head requirements-files
          else
            lib.concatMapStringsSep "\n" builtins.readFile requirements-files;
        projectRoot = source;
      }
    else
      pyproject-nix.project.loadPyproject { projectRoot = source; };
  # A project that does not say by what it is built is only a list of dependencies.
  packaged = !listed && loaded.pyproject ? build-system;

  interpreter =
    if aliases == { } && unmapped == [ ] then
      project.interpreter
    else
      project.interpreter.override {
        self = interpreter;
        packageOverrides =
          ps: prev:
          lib.mapAttrs (_: self.first-of ps) aliases
          // lib.genAttrs unmapped (
            name:
            prev.${name}
              or (throw "nixpy: nixpkgs has no ${name}; `nixpy package ${name}` makes one for `pythonPackagesExtensions`")
          );
      };
  arguments = {
    python = interpreter;
  }
  // lib.optionalAttrs (!listed) { inherit extras; };

  # What nixpkgs has in another version than the project asks for, or without an extra: pyproject.nix itself looks at
  # no version, and passes over an extra that `optional-dependencies` of a package does not have.
  unmet =
    let
      inherit (pyproject-nix) pep508 pep621;
      here = pep621.filterDependenciesByEnviron (pep508.mkEnviron interpreter) extras loaded.dependencies;
      asked = here.dependencies ++ lib.concatMap (extra: here.extras.${extra}) extras;
      known = one: interpreter.pkgs.${one.name}.optional-dependencies or { };
      lacking = one: lib.filter (extra: !(known one) ? ${extra}) one.extras;
    in
    lib.mapAttrsToList (
      name: found: "nixpkgs has ${name} ${found.version}, which the project does not admit"
    ) (loaded.validators.validateVersionConstraints { python = interpreter; })
    ++ lib.concatMap (
      one: map (extra: "nixpkgs' ${one.name} has no extra ${extra}, which the project asks for") (lacking one)
    ) asked;

  environment = interpreter.withPackages (
    loaded.renderers.withPackages (arguments // lib.optionalAttrs (!listed) { inherit groups; })
  );
  python =
    if external == null then
      environment
    else
      environment.override { makeWrapperArgs = external.wrapperArgs; };
  attributes = loaded.renderers.buildPythonPackage arguments;
  application = interpreter.pkgs.buildPythonApplication (
    attributes
    # Installed, these go by nixpkgs' names, under which the build would not find them.
    // lib.optionalAttrs (aliases != { }) { pythonRemoveDeps = lib.attrNames aliases; }
    // lib.optionalAttrs (external != null) (
      external.inputs
      // {
        nativeBuildInputs = attributes.nativeBuildInputs or [ ] ++ external.build;
        buildInputs = attributes.buildInputs or [ ] ++ external.host;
        makeWrapperArgs = external.wrapperArgs;
      }
    )
    // lib.optionalAttrs (version != null && !loaded.pyproject.project ? version) { inherit version; }
  );
  table = loaded.pyproject.project or { };
  programs = lib.attrNames (table.scripts or { } // table.gui-scripts or { });
in
{
  inherit python;
  packages.default = if packaged then application else python;
  apps = lib.optionalAttrs packaged (self.apps application table.name programs);
  shell.libraries = false;
  # Fails where nixpkgs has a version that the project does not admit, or not an extra that it asks for.
  checks.requirements = pkgs.runCommand "nixpy-requirements-check" { } (
    lib.concatMapStrings (line: "echo ${lib.escapeShellArg line} >&2\n") unmet
    + (if unmet == [ ] then "touch $out" else "exit 1")
  );
}
