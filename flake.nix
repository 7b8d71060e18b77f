{
  description = "Make Python wheels work on NixOS";

  # The stable branch may have an older `packaging` than 26.1, which reads pylock.toml for other machines.
  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";

  outputs =
    { nixpkgs, ... }:
    let
      inherit (nixpkgs) lib;
      inherit (lib.importTOML ./pyproject.toml) project;
      address = lib.importJSON ./templates/address.json;
      systems = [
        "x86_64-linux"
        "aarch64-linux"
        "aarch64-darwin"
      ];
      forEachSystem = f: lib.genAttrs systems (system: f nixpkgs.legacyPackages.${system});
      dependencies =
        ps:
        with ps;
        [
          click
          jinja2
          packaging
          platformdirs
          rich
          tomlkit
          urllib3
        ]
        # For `nixpy new`.
        ++ lib.optional (ps ? copier) ps.copier;
      # The examples are complete projects, for `nix flake init -t` with #loader, #fhs, #poetry …
      examples = builtins.readDir ./examples;
      templates = builtins.mapAttrs (name: _: {
        path = ./examples/${name};
        # The title of its README.
        description = builtins.head (
          builtins.match "# ([^\n]*)\n.*" (builtins.readFile ./examples/${name}/README.md)
        );
        welcomeText = ''
          Next: `git init && git add .`, since a flake sees only files that git tracks, then `nix develop`. See README.md.
          After you change the dependencies, run `nixpy sync`.
        '';
      }) (removeAttrs examples (builtins.filter (name: examples.${name} != "directory") (builtins.attrNames examples)));
      nixpyFor =
        pkgs:
        pkgs.python3Packages.buildPythonApplication {
          pname = project.name;
          inherit (project) version;
          pyproject = true;
          # Only the files of the package, so that a change of an example does not build it again.
          src = lib.fileset.toSource {
            root = ./.;
            fileset = lib.fileset.unions [
              ./CHANGELOG.md
              ./LICENSE
              ./README.md
              ./copier.yml
              ./pyproject.toml
              ./scaffold
              ./templates
            ];
          };
          build-system = [ pkgs.python3Packages.hatchling ];
          dependencies = dependencies pkgs.python3Packages;
          # uv resolves projects without a lock.
          makeWrapperArgs = [ "--suffix PATH : ${lib.makeBinPath [ pkgs.uv ]}" ];
          # nixpy starts in spite of PYTHONHOME and PYTHONPATH, which `nixpy doctor` reports. Without this option, Python
          # looks for its standard library in PYTHONHOME.
          preFixup = "sed -i '1s/python[0-9.]*$/& -I/' $out/bin/nixpy";
          pythonImportsCheck = [ "nixpy" ];
          meta = {
            inherit (project) description;
            license = lib.licenses.mit;
            mainProgram = "nixpy";
          }
          // lib.optionalAttrs (address.repository != "") { homepage = address.repository; };
        };
    in
    {
      packages = forEachSystem (pkgs: {
        default = nixpyFor pkgs;
      });
      apps = forEachSystem (pkgs: {
        default = {
          type = "app";
          program = lib.getExe (nixpyFor pkgs);
          meta = { inherit (project) description; };
        };
      });
      # `nix flake check` tests nixpy with real nixpkgs: that this nixpy generates the files of the examples, that nixpkgs has
      # every library of the table, and, in virtual machines with NixOS, that the shells of the examples work.
      checks = forEachSystem (
        pkgs:
        {
          package = nixpyFor pkgs;
          examples = pkgs.runCommand "nixpy-examples" { nativeBuildInputs = [ (nixpyFor pkgs) ]; } ''
            nixpy check --strict ${./examples}/*/
            touch $out
          '';
          catalogue = import ./tests/flake/catalogue.nix ((import ./templates/nix).functions { inherit pkgs; });
        }
        // lib.optionalAttrs (pkgs.stdenv.hostPlatform.system == "x86_64-linux") (
          import ./tests/flake/machines.nix { inherit nixpkgs pkgs; }
        )
      );
      devShells = forEachSystem (pkgs: {
        default = pkgs.mkShell {
          packages = [
            (pkgs.python3.withPackages (ps: dependencies ps ++ [ ps.pytest ]))
            pkgs.uv
          ];
          # If you enter the shell at the top of the checkout, Python imports the package from there, with its templates.
          shellHook = "export PYTHONPATH=$PWD/scaffold";
        };
      });
      # Pure functions of `pkgs`, for projects that set `library = "input"`.
      lib = import ./templates/nix;
      overlays.default = final: _: { nixpy = nixpyFor final; };
      inherit templates;
    };
}
