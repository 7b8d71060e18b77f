{
  description = "A stub of poetry2nix";

  outputs =
    { nixpkgs, ... }:
    let
      inherit (nixpkgs) lib;
      normalize =
        name: lib.concatStringsSep "-" (lib.filter lib.isString (builtins.split "[-_.]+" (lib.toLower name)));
    in
    {
      lib.mkPoetry2Nix =
        { pkgs }:
        let
          inherit (pkgs.stdenv.hostPlatform) isLinux parsed;

          # The first wheel whose tags fit.
          choose =
            python: files:
            let
              own = "cp${lib.replaceStrings [ "." ] [ "" ] python.pythonVersion}";
              fits =
                { file, ... }:
                let
                  tags = lib.take 3 (lib.reverseList (lib.splitString "-" (lib.removeSuffix ".whl" file)));
                  platform = lib.head tags;
                in
                # The original fails at a platform that it does not know.
                assert builtins.match "(ios|android)_.*" platform == null;
                lib.hasSuffix ".whl" file
                && (lib.last tags == own || lib.elemAt tags 1 == "abi3" || lib.hasInfix "py3" (lib.last tags))
                && (
                  platform == "any"
                  || (if isLinux then lib.hasInfix "manylinux" platform else lib.hasInfix "macosx" platform)
                  && lib.hasInfix (if isLinux then parsed.cpu.name else "arm64") platform
                );
            in
            lib.findFirst fits (throw "no wheel of these fits: ${toString (lib.catAttrs "file" files)}") files;

          packageOf =
            final: package:
            let
              chosen = choose final.python package.files;
            in
            final.buildPythonPackage {
              pname = normalize package.name;
              inherit (package) version;
              format = "wheel";
              src = pkgs.fetchurl {
                name = chosen.file;
                url = "mirror://index/${chosen.file}";
                inherit (chosen) hash;
              };
              nativeBuildInputs = lib.optional isLinux pkgs.autoPatchelfHook;
              # What every distribution is to have for a manylinux wheel.
              buildInputs = lib.optionals (isLinux && lib.hasInfix "manylinux" chosen.file) (
                map lib.getLib [
                  pkgs.stdenv.cc.cc
                  pkgs.zlib
                ]
              );
              dependencies = map (name: final.${normalize name}) (lib.attrNames (package.dependencies or { }));
            };

          projectOf =
            {
              projectDir,
              python,
              preferWheels,
              overrides,
              groups,
              ...
            }:
            assert preferWheels;
            let
              # It reads Poetry's own table and no other.
              own = (lib.importTOML (projectDir + "/pyproject.toml")).tool.poetry;
              lock = lib.importTOML (projectDir + "/poetry.lock");
              locked =
                final: _prev:
                lib.listToAttrs (
                  map (package: lib.nameValuePair (normalize package.name) (packageOf final package)) lock.package
                )
                // {
                  ${own.name} = null;
                };
              py = python.override {
                self = py;
                packageOverrides = lib.composeManyExtensions [
                  locked
                  overrides
                ];
              };
              tables = {
                main.dependencies = own.dependencies;
              }
              // own.group or { };
              asked = lib.concatMap (group: lib.attrNames (tables.${group}.dependencies or { })) groups;
            in
            {
              inherit own py;
              packages = map (name: py.pkgs.${normalize name}) (lib.remove "python" asked);
            };

          mkOverrides = overlay: {
            __functor = _: overlay;
            extend = more: mkOverrides (lib.composeExtensions overlay more);
          };
        in
        {
          defaultPoetryOverrides = mkOverrides (_final: _prev: { });
          mkPoetryEnv =
            arguments:
            let
              project = projectOf arguments;
            in
            project.py.withPackages (_: project.packages);
          mkPoetryApplication =
            arguments:
            let
              project = projectOf arguments;
            in
            project.py.pkgs.buildPythonPackage {
              pname = project.own.name;
              inherit (project.own) version;
              src = arguments.projectDir;
              format = "pyproject";
              dependencies = project.packages;
            };
        };
    };
}
