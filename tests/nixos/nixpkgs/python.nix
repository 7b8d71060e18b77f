# CPython as nixpkgs has it in one release: interpreters, their package sets, `withPackages`, `override`.
{
  lib,
  pkgs,
  release,
  attributes,
  packagesTable,
  debian,
  package,
}:
let
  inherit (pkgs) stdenv;

  # The default of `python3`, and every interpreter with the version it had; pre-releases are in nixpkgs too.
  releases = {
    "24.11" = {
      default = "3.12";
      versions = {
        "3.9" = "3.9.20";
        "3.10" = "3.10.15";
        "3.11" = "3.11.10";
        "3.12" = "3.12.7";
        "3.13" = "3.13.0";
        "3.14" = "3.14.0a1";
      };
    };
    "25.05" = {
      default = "3.12";
      versions = {
        "3.10" = "3.10.17";
        "3.11" = "3.11.12";
        "3.12" = "3.12.10";
        "3.13" = "3.13.3";
        "3.14" = "3.14.0b1";
      };
    };
    "25.11" = {
      default = "3.13";
      versions = {
        "3.10" = "3.10.19";
        "3.11" = "3.11.14";
        "3.12" = "3.12.12";
        "3.13" = "3.13.9";
        "3.14" = "3.14.0";
        "3.15" = "3.15.0a1";
      };
    };
    "26.05" = {
      default = "3.13";
      versions = {
        "3.11" = "3.11.14";
        "3.12" = "3.12.12";
        "3.13" = "3.13.12";
        "3.14" = "3.14.3";
        "3.15" = "3.15.0a7";
      };
    };
    unstable = {
      default = "3.14";
      versions = {
        "3.11" = "3.11.15";
        "3.12" = "3.12.13";
        "3.13" = "3.13.13";
        "3.14" = "3.14.4";
        "3.15" = "3.15.0";
      };
    };
  };
  inherit (releases.${release}) default versions;

  # From 25.11 on only the interpreter of an environment keeps its caller's name, so that venvs made from it work.
  keepsName = lib.versionAtLeast pkgs.lib.trivial.release "25.11";

  short = lib.replaceStrings [ "." ] [ "" ];

  interpreter =
    pythonVersion:
    {
      # The interpreter that the package set and the environments stand on. It is the plain one until it is given:
      # `let self = python3.override { inherit self; … }; in self` is how nixpkgs wants it.
      self,
      packageOverrides ? _: _: { },
      enableOptimizations ? false,
      reproducibleBuild ? true,
      enableLTO ? true,
      stripConfig ? false,
      ...
    }:
    let
      executable = "python${pythonVersion}";
      packages = packagesOf self packageOverrides;
      buildEnv = lib.makeOverridable (environment self);
    in
    stdenv.mkDerivation (
      debian.python pythonVersion package pkgs
      // {
        pname = "python3";
        version = versions.${pythonVersion};
        inherit
          enableLTO
          enableOptimizations
          reproducibleBuild
          stripConfig
          ;
        meta.mainProgram = "python3";
        passthru = {
          inherit buildEnv executable pythonVersion;
          implementation = "cpython";
          libPrefix = executable;
          sitePackages = "lib/${executable}/site-packages";
          pythonAttr = "python${short pythonVersion}";
          isPy3 = true;
          isPy3k = true;
          isPyPy = false;
          pythonAtLeast = lib.versionAtLeast pythonVersion;
          pythonOlder = lib.versionOlder pythonVersion;
          interpreter = "${self}/bin/${executable}";
          pkgs = packages;
          withPackages = f: buildEnv { extraLibs = f packages; };
        };
      }
    );

  environment =
    python:
    {
      extraLibs ? [ ],
      postBuild ? "",
      ignoreCollisions ? false,
      extraOutputsToInstall ? [ ],
      permitUserSite ? false,
      makeWrapperArgs ? [ ],
    }:
    let
      modules = python.pkgs.requiredPythonModules extraLibs;
      env = pkgs.buildEnv {
        name = "${python.name}-env";
        paths = modules;
        inherit ignoreCollisions extraOutputsToInstall;
        nativeBuildInputs = [ pkgs.makeBinaryWrapper ];
        postBuild = ''
          makeWrapper ${python.interpreter} $out/bin/${python.executable} ${lib.optionalString keepsName "--inherit-argv0 --resolve-argv0 "}${
            lib.optionalString (!permitUserSite) "--set PYTHONNOUSERSITE true "
          }${lib.concatStringsSep " " makeWrapperArgs}
          ${postBuild}
        '';
        inherit (python) meta;
        passthru = python.passthru // {
          inherit python;
          interpreter = "${env}/bin/${python.executable}";
          env = stdenv.mkDerivation {
            name = "interactive-${python.name}-environment";
            nativeBuildInputs = [ env ];
          };
        };
      };
    in
    env;

  packagesOf =
    python: overrides:
    lib.fix (
      lib.extends overrides (
        final:
        # what is named below is a function, or made of one; the table has the packages
        attributes packagesTable (
          { pname, ... }:
          final.buildPythonPackage {
            inherit pname;
            version = "1";
            format = "other";
          }
        )
        // {
          inherit python;
          inherit (pkgs) fetchPypi;
          hasPythonModule = value: value.pythonModule or null == python;
          toPythonModule = value: value // { pythonModule = python; };
          toPythonApplication = value: value // { pythonModule = false; };
          # what an environment of `modules` holds: Python modules with their dependencies, and the interpreter
          requiredPythonModules =
            modules:
            let
              close =
                seen: wanted:
                lib.foldl' (
                  seen: module:
                  if module == null || lib.elem module seen then
                    seen
                  else
                    close (seen ++ [ module ]) (module.propagatedBuildInputs or [ ])
                ) seen wanted;
            in
            lib.filter final.hasPythonModule (close [ ] modules) ++ [ python ];
          # nixpkgs names the package after the interpreter and wants to be told how it is built.
          buildPythonPackage =
            attributes:
            let
              build =
                arguments:
                assert lib.assertMsg (
                  arguments ? pyproject || arguments ? format
                ) "buildPythonPackage needs `pyproject` or `format` (${arguments.pname or arguments.name})";
                stdenv.mkDerivation (
                  lib.removeAttrs arguments [
                    "build-system"
                    "dependencies"
                    "disabled"
                    "format"
                    "optional-dependencies"
                    "pyproject"
                    "pythonImportsCheck"
                  ]
                  // {
                    name = "${python.libPrefix}-${arguments.name or "${arguments.pname}-${arguments.version}"}";
                    nativeBuildInputs = arguments.nativeBuildInputs or [ ] ++ arguments.build-system or [ ];
                    propagatedBuildInputs =
                      arguments.propagatedBuildInputs or [ ] ++ arguments.dependencies or [ ] ++ [ python ];
                    passthru = arguments.passthru or { } // {
                      pythonModule = python;
                    };
                  }
                );
            in
            if lib.isFunction attributes then lib.fix (self: build (attributes self)) else build attributes;
          buildPythonApplication = arguments: final.toPythonApplication (final.buildPythonPackage arguments);
          venvShellHook = pkgs.makeSetupHook { name = "venv-shell-hook"; } (
            builtins.toFile "venv-shell-hook.sh" ""
          );
        }
      )
    );

  interpreters = lib.mapAttrs' (
    version: _:
    let
      name = "python${short version}";
    in
    lib.nameValuePair name (lib.makeOverridable (interpreter version) { self = pkgs.${name}; })
  ) versions;
in
interpreters
// lib.mapAttrs' (name: python: lib.nameValuePair "${name}Packages" python.pkgs) interpreters
// rec {
  python3 = interpreters."python${short default}";
  python = python3;
  python3Packages = python3.pkgs;
  pythonPackages = python3.pkgs;
}
