{
  description = "A stub of uv2nix";

  outputs =
    { nixpkgs, pyproject-nix, ... }:
    let
      inherit (nixpkgs) lib;
      inherit (pyproject-nix.lib.pypa) normalizePackageName;

      spec =
        dependencies:
        lib.listToAttrs (map (one: lib.nameValuePair one.name (one.extra or [ ])) dependencies);
      described = package: format: {
        inherit format;
        dependencies = spec (package.dependencies or [ ]);
        optional-dependencies = lib.mapAttrs (_: spec) (package.optional-dependencies or { });
        dependency-groups = lib.mapAttrs (_: spec) (package.dev-dependencies or { });
      };

      # The first wheel whose tags fit the interpreter and the system.
      choose =
        { python, stdenv, ... }:
        package:
        let
          inherit (stdenv.hostPlatform) isLinux parsed;
          fits =
            wheel:
            let
              tags = lib.take 3 (lib.reverseList (lib.splitString "-" (lib.removeSuffix ".whl" (baseNameOf wheel.url))));
              platform = lib.head tags;
              abi = lib.elemAt tags 1;
              version = lib.last tags;
              own = "cp${lib.replaceStrings [ "." ] [ "" ] python.pythonVersion}";
            in
            (version == own || abi == "abi3" || lib.hasInfix "py3" version)
            && (
              platform == "any"
              || (if isLinux then lib.hasInfix "manylinux" platform else lib.hasInfix "macosx" platform)
              && lib.hasInfix (if isLinux then parsed.cpu.name else "arm64") platform
            );
        in
        lib.findFirst fits null (package.wheels or [ ]);

      # What every distribution is to have for a manylinux wheel (PEP 599).
      promised = pkgs: [
        pkgs.stdenv.cc.cc
        pkgs.glib
        pkgs.libGL
        pkgs.zlib
        (pkgs.libx11 or pkgs.xorg.libX11)
        (pkgs.libxext or pkgs.xorg.libXext)
        (pkgs.libice or pkgs.xorg.libICE)
        (pkgs.libsm or pkgs.xorg.libSM)
      ];

      remote =
        package:
        {
          python,
          stdenv,
          pkgs,
        }:
        let
          wheel = choose { inherit python stdenv; } package;
          inherit (stdenv.hostPlatform) isLinux;
        in
        stdenv.mkDerivation {
          pname = package.name;
          inherit (package) version;
          passthru = described package (if wheel == null then "pyproject" else "wheel");
          nativeBuildInputs = [
            python.pkgs.wheelHook
          ]
          ++ lib.optional (wheel != null && isLinux) pkgs.autoPatchelfHook;
          buildInputs = lib.optionals (
            wheel != null && isLinux && lib.hasInfix "manylinux" wheel.url
          ) (map lib.getLib (promised pkgs));
          dontStrip = true;
          src = pkgs.fetchurl (
            if wheel == null then
              { inherit (package.sdist) url hash; }
            else
              {
                name = baseNameOf wheel.url;
                inherit (wheel) url hash;
              }
          );
        };

      local =
        root: package:
        {
          python,
          stdenv,
          pkgs,
          resolveBuildSystem,
          editableRoot ? "",
        }:
        let
          pyproject = lib.importTOML (root + "/pyproject.toml");
          virtual = package.source ? virtual;
        in
        stdenv.mkDerivation {
          pname = package.name;
          version = package.version or "0";
          passthru = described package "pyproject";
          nativeBuildInputs = [
            python
          ]
          ++ lib.optionals (!virtual) (
            resolveBuildSystem (
              lib.listToAttrs (
                map (
                  text:
                  lib.nameValuePair (normalizePackageName (lib.head (builtins.match "([A-Za-z0-9._-]+).*" text))) [ ]
                ) pyproject.build-system.requires or [ ]
              )
            )
          );
          src = root;
          inherit (python) interpreter sitePackages;
          editable = editableRoot;
          installPhase = if virtual then "mkdir $out" else "source ${./project.sh}";
        };
    in
    {
      lib.workspace.loadWorkspace =
        { workspaceRoot }:
        let
          lock = lib.importTOML (workspaceRoot + "/uv.lock");
          isOwn = package: package.source ? virtual || package.source ? editable;
          own = lib.listToAttrs (
            map (package: lib.nameValuePair package.name package) (lib.filter isOwn lock.package)
          );
          folder = package: workspaceRoot + "/${package.source.virtual or package.source.editable}";
          groups = package: lib.attrNames (package.dev-dependencies or { });
          extras = package: lib.attrNames (package.optional-dependencies or { });
        in
        {
          deps = {
            default = lib.mapAttrs (
              _: package:
              (lib.importTOML (folder package + "/pyproject.toml")).tool.uv.default-groups or [ ]
            ) own;
            all = lib.mapAttrs (_: package: extras package ++ groups package) own;
          };
          mkPyprojectOverlay =
            { sourcePreference }:
            assert sourcePreference == "wheel";
            final: _prev:
            lib.listToAttrs (
              map (
                package:
                lib.nameValuePair package.name (
                  final.callPackage (if isOwn package then local (folder package) package else remote package) { }
                )
              ) lock.package
            );
          mkEditablePyprojectOverlay =
            { root }:
            assert !(lib.hasPrefix builtins.storeDir root);
            _final: prev:
            lib.mapAttrs (name: _: prev.${name}.override { editableRoot = root; }) (
              lib.filterAttrs (_: package: !(package.source ? virtual)) own
            );
        };
    };
}
