{
  description = "A stub of pyproject.nix";

  outputs =
    { nixpkgs, ... }:
    let
      inherit (nixpkgs) lib;

      normalizePackageName =
        name: lib.concatStringsSep "-" (lib.filter lib.isString (builtins.split "[-_.]+" (lib.toLower name)));

      # `name[extra] >=1,<2; marker`, of which the marker is not looked at.
      parse =
        text:
        let
          parts = builtins.match "([A-Za-z0-9._-]+)[ ]*(\\[[^]]*])?[ ]*([^;]*).*" text;
        in
        {
          name = normalizePackageName (lib.head parts);
          extras = lib.filter (one: one != "") (
            lib.splitString "," (
              lib.replaceStrings [ "[" "]" " " ] [ "" "" "" ] (
                if lib.elemAt parts 1 == null then "" else lib.elemAt parts 1
              )
            )
          );
          conditions = map lib.trim (lib.filter (one: lib.trim one != "") (lib.splitString "," (lib.elemAt parts 2)));
        };

      admits =
        version: condition:
        let
          parts = builtins.match "(===|==|~=|!=|<=|>=|<|>)[ ]*(.*)" condition;
          order = builtins.compareVersions version (lib.elemAt parts 1);
        in
        {
          "<" = order < 0;
          "<=" = order <= 0;
          ">" = order > 0;
          ">=" = order >= 0;
          "==" = order == 0;
          "===" = order == 0;
          "!=" = order != 0;
          "~=" = order >= 0;
        }
        .${lib.head parts};

      mkProject =
        {
          pyproject ? null,
          projectRoot ? null,
          dependencies,
          optional ? { },
          grouped ? { },
          build-systems ? [ ],
        }:
        let
          # A package, and what its `optional-dependencies` have of the extras.
          from =
            python:
            lib.concatMap (
              requirement:
              let
                package = python.pkgs.${requirement.name};
              in
              [ package ]
              ++ lib.concatMap (extra: package.optional-dependencies.${extra} or [ ]) requirement.extras
            );
          several = python: of: lib.concatMap (name: from python of.${name});
        in
        {
          inherit pyproject projectRoot;
          dependencies = {
            inherit dependencies build-systems;
            extras = optional;
            groups = grouped;
          };
          renderers = {
            withPackages =
              {
                python,
                extras ? [ ],
                groups ? [ ],
              }:
              _ps:
              from python dependencies
              ++ several python optional extras
              ++ several python grouped groups
              ++ from python build-systems;
            buildPythonPackage =
              {
                python,
                extras ? [ ],
              }:
              {
                pname = pyproject.project.name;
                inherit (pyproject.project) version;
                src = projectRoot;
                pyproject = true;
                dependencies = from python dependencies ++ several python optional extras;
                build-system = from python build-systems;
                meta = lib.optionalAttrs (lib.length (lib.attrNames (pyproject.project.scripts or { })) == 1) {
                  mainProgram = lib.head (lib.attrNames pyproject.project.scripts);
                };
              };
          };
          validators.validateVersionConstraints =
            { python }:
            lib.listToAttrs (
              lib.concatMap (
                requirement:
                let
                  inherit (python.pkgs.${requirement.name}) version;
                  conditions = lib.filter (one: !(admits version one)) requirement.conditions;
                in
                lib.optional (conditions != [ ]) {
                  inherit (requirement) name;
                  value = { inherit conditions version; };
                }
              ) dependencies
            );
        };
    in
    {
      lib = {
        pypa = { inherit normalizePackageName; };
        # Markers are not looked at.
        pep508.mkEnviron = _python: { };
        pep621.filterDependenciesByEnviron =
          _environ: _extras: dependencies:
          dependencies;
        project = {
          loadPyproject =
            {
              projectRoot,
              pyproject ? lib.importTOML (projectRoot + "/pyproject.toml"),
            }:
            mkProject {
              inherit pyproject projectRoot;
              dependencies = map parse (pyproject.project.dependencies or [ ]);
              optional = lib.mapAttrs (_: map parse) (pyproject.project.optional-dependencies or { });
              grouped = lib.mapAttrs (_: map parse) (pyproject.dependency-groups or { });
              build-systems = map parse (pyproject.build-system.requires or [ ]);
            };
          loadRequirementsTxt =
            { requirements, projectRoot }:
            let
              text = if lib.isPath requirements then builtins.readFile requirements else requirements;
            in
            mkProject {
              inherit projectRoot;
              dependencies = map parse (
                lib.filter (line: builtins.match "[A-Za-z0-9].*" line != null) (lib.splitString "\n" text)
              );
            };
        };
      };
      build = {
        packages = import ./packages.nix { inherit lib; };
        util = import ./util.nix;
      };
    };
}
