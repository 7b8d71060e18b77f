# Style pyproject-nix: the project as a package for nixpkgs' Python, built by pyproject.nix. It reads pyproject.toml or
# requirements files, and no lock.
# Takes the project, its folder, and names of packages. Returns outputs for project.nix.
self: project:
{
  source,
  requirements-files ? [ ],
  extras ? [ ],
  groups ? [ ],
  aliases ? { }, # packages that have another name in nixpkgs: { NAME = "ATTRIBUTE or ATTRIBUTE"; }
  unmapped ? [ ], # packages for which nixpy knows no attribute in nixpkgs
  version ? null, # the version of a project that computes it in its build, which pyproject.nix does not run
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
  # A project without a build system is only a list of dependencies.
  packaged = !listed && loaded.pyproject ? build-system;

  interpreter =
    if aliases == { } && unmapped == [ ] then
      project.interpreter
    else
      self.with-overlay (
        ps: prev:
        lib.mapAttrs (_: self.first-of ps) aliases
        // lib.genAttrs unmapped (
          name:
          prev.${name}
            or (throw "nixpy: nixpkgs has no ${name}; `nixpy package ${name}` makes one for `pythonPackagesExtensions`")
        )
      ) project.interpreter;
  arguments = {
    python = interpreter;
  }
  // lib.optionalAttrs (!listed) { inherit extras; };

  # Packages that nixpkgs has in a version that the requirements exclude, or without a required extra. pyproject.nix
  # does not check versions, and ignores an extra that is not in `optional-dependencies` of a package.
  unmet =
    let
      inherit (pyproject-nix) pep508 pep621;
      here = pep621.filterDependenciesByEnviron (pep508.mkEnviron interpreter) extras loaded.dependencies;
      asked = here.dependencies ++ lib.concatMap (extra: here.extras.${extra}) extras;
      known = one: interpreter.pkgs.${one.name}.optional-dependencies or { };
      lacking = one: lib.filter (extra: !(known one) ? ${extra}) one.extras;
    in
    lib.mapAttrsToList (
      name: found: "nixpkgs has ${name} ${found.version}, which the requirements of the project exclude"
    ) (loaded.validators.validateVersionConstraints { python = interpreter; })
    ++ lib.concatMap (
      one: map (extra: "${one.name} of nixpkgs has no extra ${extra}, which the project requires") (lacking one)
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
    # The installed packages have other names in nixpkgs, so the build would not find them.
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
  # Fails if nixpkgs has a version that the requirements exclude, or lacks an extra that they name.
  checks.requirements = pkgs.runCommand "nixpy-requirements-check" { } (
    lib.concatMapStrings (line: "echo ${lib.escapeShellArg line} >&2\n") unmet
    + (if unmet == [ ] then "touch $out" else "exit 1")
  );
}
