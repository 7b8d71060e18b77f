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

  # From 25.11 on the interpreter of an environment keeps its caller's name, so that venvs made from it work
  # (nixpkgs#442540, and #462090 for --resolve-argv0).
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
      sitePackages = "lib/${executable}/site-packages";
      packages = packagesOf self packageOverrides;
      buildEnv = lib.makeOverridable (environment self) { };
      compiled = debian.cpython pythonVersion package pkgs.glibc;
    in
    stdenv.mkDerivation (
      lib.optionalAttrs (compiled != null) {
        inherit compiled;
        ensurepip = debian.ensurepip pythonVersion package compiled;
        dontUnpack = true;
        installPhase = ''
          runHook preInstall
          source ${./debian/install-python.sh}
          runHook postInstall
        '';
      }
      // {
        pname = "python3";
        # What is built is named for what it is, and so is the same in every release.
        version = if compiled == null then versions.${pythonVersion} else compiled.version;
        setupHook = builtins.toFile "python-setup-hook.sh" ''
          addPythonPath() {
            if [ -d "$1/${sitePackages}" ]; then
              export PYTHONPATH=''${PYTHONPATH:+$PYTHONPATH:}$1/${sitePackages}
            fi
          }
          if [ -z "''${dontAddPythonPath-}" ]; then addEnvHooks 0 addPythonPath; fi
          export DETERMINISTIC_BUILD=1 PYTHONHASHSEED=0 PYTHONNOUSERSITE=1
        '';
        # Bytecode must not depend on times, as in the store every file is of 1970.
        postInstall = ''
          for name in idle pydoc; do
            ln -s "''${name}${pythonVersion}" "$out/bin/''${name}3"
            ln -s "''${name}3" "$out/bin/$name"
          done
          ln -s ${executable} "$out/bin/python3"
          ln -s ${executable} "$out/bin/python"
          cp ${./debian/sitecustomize.py} "$out/${sitePackages}/sitecustomize.py"
          "$out/bin/${executable}" -I -m compileall -q --invalidation-mode unchecked-hash "$out/${sitePackages}"
          echo '[externally-managed]' >"$out/lib/${executable}/EXTERNALLY-MANAGED"
        '';
        inherit
          enableLTO
          enableOptimizations
          reproducibleBuild
          stripConfig
          ;
        meta.mainProgram = "python3";
        passthru = {
          inherit
            buildEnv
            compiled
            executable
            pythonVersion
            sitePackages
            ;
          isBuilt = compiled != null; # not in nixpkgs
          implementation = "cpython";
          libPrefix = executable;
          pythonAttr = "python${short pythonVersion}";
          isPy3 = true;
          isPy3k = true;
          isPyPy = false;
          pythonAtLeast = lib.versionAtLeast pythonVersion;
          pythonOlder = lib.versionOlder pythonVersion;
          interpreter = "${self}/bin/${executable}";
          pkgs = packages;
          withPackages = f: buildEnv.override { extraLibs = f packages; };
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
      # With the second path /bin is a folder of the environment's own, also where the interpreter is alone.
      paths = python.pkgs.requiredPythonModules extraLibs ++ [
        (pkgs.runCommand "bin" { } "mkdir -p $out/bin")
      ];
      options = toString (
        lib.optional (!permitUserSite) "--set PYTHONNOUSERSITE true" ++ makeWrapperArgs
      );
      env = pkgs.buildEnv {
        name = "${python.name}-env";
        inherit paths ignoreCollisions;
        extraOutputsToInstall = [ "out" ] ++ extraOutputsToInstall;
        nativeBuildInputs = [ pkgs.makeBinaryWrapper ];
        postBuild = ''
          for path in ${toString paths}; do
            for program in "$path"/bin/*; do
              if [ ! -f "$program" ] || [ ! -x "$program" ]; then continue; fi
              wrapper=$out/bin/''${program##*/}
              rm -f "$wrapper"
        ''
        + lib.optionalString keepsName ''
          if [ "''${program##*/}" = ${python.executable} ]; then
            makeWrapper ${python.interpreter} "$wrapper" --inherit-argv0 --resolve-argv0 ${options}
            continue
          elif [ "$(readlink "$program")" = ${python.executable} ]; then
            ln -s ${python.executable} "$wrapper"
            continue
          fi
        ''
        + ''
              makeWrapper "$program" "$wrapper" --set NIX_PYTHONPREFIX "$out" \
                --set NIX_PYTHONEXECUTABLE "$out/bin/${python.executable}" \
                --set NIX_PYTHONPATH "$out/${python.sitePackages}" ${options}
            done
          done
          ${postBuild}
        '';
        inherit (python) meta;
        passthru = python.passthru // {
          inherit python;
          interpreter = "${env}/bin/${python.executable}";
          env = stdenv.mkDerivation {
            name = "interactive-${python.name}-environment";
            nativeBuildInputs = [ env ];
            buildCommand = "echo this is for nix-shell, not for building >&2; exit 1";
          };
        };
      };
    in
    env;

  # nixpkgs builds from the source, and so against its own libraries.
  fromWheel =
    final: pname: wheel:
    wheel
    // {
      inherit pname;
      format = "wheel";
      nativeBuildInputs = [ pkgs.autoPatchelfHook ];
      buildInputs = [
        pkgs.zlib
        pkgs.stdenv.cc.cc.lib
      ]
      ++ lib.optional (pname == "pyodbc") (pkgs.unixodbc or pkgs.unixODBC);
      dependencies = map (name: final.${name}) (dependencies.${pname} or [ ]);
    }
    // lib.optionalAttrs (onIndex pname != pname) {
      postInstall = "sed -i 's/^Name: .*/Name: ${pname}/' $out/${final.python.sitePackages}/*.dist-info/METADATA";
    };
  # What has another name on the index; nixpkgs' is built of a release that says its own.
  onIndex = pname: if pname == "psycopg2" then "psycopg2-binary" else pname;
  # A wheel says them too, but cannot be read before it is built.
  dependencies = {
    flask = [
      "blinker"
      "click"
      "itsdangerous"
      "jinja2"
      "markupsafe"
      "werkzeug"
    ];
    grpcio = [ "typing-extensions" ];
    hatchling = [
      "packaging"
      "pathspec"
      "pluggy"
      "trove-classifiers"
    ];
    jinja2 = [ "markupsafe" ];
    markdown-it-py = [ "mdurl" ];
    pandas = [
      "numpy"
      "python-dateutil"
      "tzdata"
    ];
    pytest = [
      "iniconfig"
      "packaging"
      "pluggy"
      "pygments"
    ];
    pydantic-core = [ "typing-extensions" ];
    rich = [
      "markdown-it-py"
      "pygments"
    ];
    scipy = [ "numpy" ];
    werkzeug = [ "markupsafe" ];
  };

  packagesOf =
    python: overrides:
    lib.fix (
      lib.extends overrides (
        final:
        # what is named below is a function, or made of one; the table has the packages
        attributes packagesTable (
          {
            pname,
            meta ? { },
            disabled ? false,
            ...
          }:
          final.buildPythonPackage (
            if python.isBuilt && debian.wheels ? ${onIndex pname} then
              fromWheel final pname debian.wheels.${onIndex pname}
            else if python.isBuilt && pname == "tkinter" then
              {
                inherit pname;
                inherit (python) version;
                format = "other";
                module = debian.tkinter python.pythonVersion package pkgs.glibc python.compiled;
                dontUnpack = true;
                installPhase = ''
                  mkdir -p $out/${python.sitePackages}
                  cp -r $module/. $out/${python.sitePackages}/
                '';
              }
            else
              {
                inherit disabled meta pname;
                version = "1";
                format = "other";
              }
          )
        )
        // {
          inherit python;
          inherit (pkgs) fetchPypi;
          callPackage = lib.callPackageWith (pkgs // final);
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
            lib.unique ([ python ] ++ lib.filter final.hasPythonModule (close [ ] modules));
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
                  ]
                  // {
                    name = "${python.libPrefix}-${arguments.name or "${arguments.pname}-${arguments.version}"}";
                    nativeBuildInputs = [
                      python
                      final.wrapPython
                    ]
                    ++ lib.optional (arguments.pyproject or false) final.pyprojectHook
                    ++ lib.optional (arguments.format or "" == "pyproject") final.pyprojectHook
                    ++ lib.optional (arguments.format or "" == "wheel") final.wheelHook
                    ++ arguments.nativeBuildInputs or [ ]
                    ++ arguments.build-system or [ ];
                    postFixup = "wrapPythonPrograms\n" + arguments.postFixup or "";
                    propagatedBuildInputs =
                      arguments.propagatedBuildInputs or [ ] ++ arguments.dependencies or [ ] ++ [ python ];
                    passthru = arguments.passthru or { } // {
                      pythonModule = python;
                      disabled = arguments.disabled or false;
                      optional-dependencies = arguments.optional-dependencies or { };
                    };
                  }
                );
            in
            if lib.isFunction attributes then
              lib.fix (self: build (attributes self))
            else
              build attributes
              // {
                # The arguments once more, with some changed (interpreters/python/python-packages-base.nix).
                overridePythonAttrs =
                  change:
                  final.buildPythonPackage (
                    attributes // (if lib.isFunction change then change attributes else change)
                  );
              };
          wrapPython = pkgs.makeSetupHook {
            name = "wrap-python-hook";
            propagatedBuildInputs = [ pkgs.makeWrapper ];
            substitutions = {
              inherit python;
              inherit (python) interpreter sitePackages;
            };
          } ./hooks/wrap-python.sh;
          # These two are not in nixpkgs, which has a hook for each of the phases.
          pyprojectHook = pkgs.makeSetupHook {
            name = "pyproject-hook";
            propagatedBuildInputs = [ final.wheelHook ];
            substitutions = {
              inherit python;
              inherit (python) interpreter;
              dependencies = ./hooks/python-dependencies.py;
            };
          } ./hooks/python-pyproject.sh;
          wheelHook = pkgs.makeSetupHook {
            name = "python-wheel-hook";
            substitutions = {
              inherit python;
              inherit (python) interpreter sitePackages;
            };
          } ./hooks/python-wheel.sh;
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
