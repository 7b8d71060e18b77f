{
  description = "Make Python wheels work on NixOS";

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
      # The examples are whole projects: `nix flake init -t`, then #loader, #fhs, #poetry …
      examples = builtins.readDir ./examples;
      templates = builtins.mapAttrs (name: _: {
        path = ./examples/${name};
        # The title of its README.
        description = builtins.head (
          builtins.match "# ([^\n]*)\n.*" (builtins.readFile ./examples/${name}/README.md)
        );
        welcomeText = ''
          `git init && git add .`, as a flake sees only what git knows; then `nix develop`. README.md says more.
          After a change of the dependencies: `nixpy sync`.
        '';
      }) (removeAttrs examples (builtins.filter (name: examples.${name} != "directory") (builtins.attrNames examples)));
      nixpyFor =
        pkgs:
        pkgs.python3Packages.buildPythonApplication {
          pname = project.name;
          inherit (project) version;
          pyproject = true;
          # What becomes of the package: an example that changed does not build it anew.
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
      apps = forEachSystem (pkgs: {
        default = {
          type = "app";
          program = lib.getExe (nixpyFor pkgs);
          meta = { inherit (project) description; };
        };
      });
      # That the examples are what this very nixpy renders.
      checks = forEachSystem (pkgs: {
        package = nixpyFor pkgs;
        examples = pkgs.runCommand "nixpy-examples" { nativeBuildInputs = [ (nixpyFor pkgs) ]; } ''
          nixpy check --strict ${./examples}/*/
          touch $out
        '';
      });
      devShells = forEachSystem (pkgs: {
        default = pkgs.mkShell {
          packages = [
            (pkgs.python3.withPackages (ps: dependencies ps ++ [ ps.pytest ]))
            pkgs.uv
          ];
          # Entered at the top of the checkout, it has the package as it lies there, which finds its templates beside it.
          shellHook = "export PYTHONPATH=$PWD/scaffold";
        };
      });
      # Pure functions of `pkgs`, for projects that set `library = "input"`.
      lib = import ./templates/nix;
      overlays.default = final: _: { nixpy = nixpyFor final; };
      inherit templates;
    };
}
