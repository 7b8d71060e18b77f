{
  description = "Nix that makes the wheels of a Python project work on NixOS";

  # Not the stable branch: its `packaging` may be older than 26.1, which reads pylock.toml for other machines.
  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";

  outputs =
    { nixpkgs, ... }:
    let
      inherit (nixpkgs) lib;
      inherit (lib.importTOML ./pyproject.toml) project;
      systems = [
        "x86_64-linux"
        "aarch64-linux"
        "aarch64-darwin"
      ];
      forEachSystem = f: lib.genAttrs systems (system: f nixpkgs.legacyPackages.${system});
      dependencies =
        ps: with ps; [
          click
          jinja2
          packaging
          platformdirs
          rich
          tomlkit
          urllib3
        ];
      nixpyFor =
        pkgs:
        pkgs.python3Packages.buildPythonApplication {
          pname = project.name;
          inherit (project) version;
          pyproject = true;
          src = ./.;
          build-system = [ pkgs.python3Packages.hatchling ];
          dependencies = dependencies pkgs.python3Packages;
          # uv resolves projects without a lock.
          makeWrapperArgs = [ "--suffix PATH : ${lib.makeBinPath [ pkgs.uv ]}" ];
          pythonImportsCheck = [ "nixpy" ];
          meta = {
            inherit (project) description;
            license = lib.licenses.mit;
            mainProgram = "nixpy";
          };
        };
    in
    {
      packages = forEachSystem (pkgs: {
        default = nixpyFor pkgs;
      });
      devShells = forEachSystem (pkgs: {
        default = pkgs.mkShell {
          packages = [
            (pkgs.python3.withPackages (ps: dependencies ps ++ [ ps.pytest ]))
            pkgs.uv
          ];
        };
      });
    };
}
