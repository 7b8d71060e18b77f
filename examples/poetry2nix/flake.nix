# This file is yours: nixpy wrote it once and never changes it. The libraries for wheels are in nixpy.nix.
{
  description = "Development environment";

  inputs = {
    nixpkgs.url = "github:NixOS/nixpkgs/nixos-25.11";

    poetry2nix = {
      url = "github:nix-community/poetry2nix";
      inputs.nixpkgs.follows = "nixpkgs";
    };
  };

  outputs =
    { nixpkgs, ... }@inputs:
    let
      systems = [
        "aarch64-darwin"
        "aarch64-linux"
        "x86_64-linux"
      ];
      nixpyFor = pkgs: import ./nixpy.nix { inherit pkgs inputs; };
      # Calls `f pkgs nixpy` for each system.
      forEachSystem =
        f:
        nixpkgs.lib.genAttrs systems (
          system:
          let
            pkgs = nixpkgs.legacyPackages.${system};
          in
          f pkgs (nixpyFor pkgs)
        );
    in
    {
      devShells = forEachSystem (
        pkgs: nixpy: {
          default = pkgs.mkShell {
            inputsFrom = [ nixpy.shell ];
            packages = [ ];
          };
        }
      );
      packages = forEachSystem (_: nixpy: nixpy.packages);
      checks = forEachSystem (_: nixpy: nixpy.checks);
      apps = forEachSystem (_: nixpy: nixpy.apps);

      nixosModules.default = { pkgs, ... }: (nixpyFor pkgs).nixosModule;
      homeModules.default = { pkgs, ... }: (nixpyFor pkgs).homeModule;
    };
}
