# The versions that nixpy analysed, as constraints for the installer, so that it takes no other versions.
# Takes nixpy.lock. Returns text with one line for each package of this system.
self: lock:
let
  inherit (self) lib;
  system = (lib.importJSON lock).systems.${self.system} or { };
  # A package of a git repository or of a folder has no certain version. Without a wheel and an sdist for this system,
  # the installer takes another version.
  certain = lib.filter (package: package.version != null && package.sdist or true) (
    system.wheels or [ ] ++ system.unavailable or [ ]
  );
in
lib.concatMapStrings (package: "${package.name}==${package.version}\n") certain
