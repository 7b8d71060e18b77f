{
  description = "A stand-in for nixpkgs: the attributes that the flake of a Python project uses, for evaluation";

  outputs =
    { self }:
    let
      systems = [
        "x86_64-linux"
        "aarch64-linux"
        "aarch64-darwin"
      ];
      packages = builtins.listToAttrs (
        map (system: {
          name = system;
          value = import ./. { inherit system; };
        }) systems
      );
    in
    {
      inherit (packages.x86_64-linux) lib;
      legacyPackages = packages;
    };
}
