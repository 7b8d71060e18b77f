# The error for a package that the settings name and this nixpkgs does not have.
# Takes its attribute path. Throws, with an overlay that supplies the package.
self: attribute:
let
  file = "./${self.lib.last (self.lib.splitString "." attribute)}.nix";
in
throw ''
  nixpy: this nixpkgs has no ${attribute}, which `map` of [tool.nixpy.external] names. Name another
  attribute in `map`, or extend `pkgs` in flake.nix or shell.nix with an overlay:
    pkgs.extend ${self.overlay attribute "final.callPackage ${file} { }"}''
