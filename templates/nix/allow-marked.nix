# Lets nixpkgs evaluate the packages that [tool.nixpy] allow-marked names, although it marks them insecure or unfree.
# Takes their attributes, each "new or old", and an interpreter. Returns the interpreter with these packages unmarked.
# For all other packages, `config` of the user's nixpkgs decides, which cannot change after the import. No derivation
# depends on the marks, so binary caches have these packages as before.
self: spellings: interpreter:
let
  inherit (self) lib;
  unmark =
    package:
    package.overrideAttrs (previous: {
      meta = removeAttrs (previous.meta or { }) [
        "knownVulnerabilities"
        "license"
      ];
    });
  overlay =
    _: prev:
    lib.mapAttrs (_: unmark) (
      lib.getAttrs (lib.filter (name: prev ? ${name}) (lib.concatMap (lib.splitString " or ") spellings)) prev
    );
in
self.with-overlay overlay interpreter
