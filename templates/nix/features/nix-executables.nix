# Feature nix-executables: programs of nixpkgs in the place of those in wheels. They are facts; there is nothing to do here.
# Takes and returns nothing.
_: { }
