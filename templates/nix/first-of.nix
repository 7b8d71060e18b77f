# A package under whichever of its names this nixpkgs has.
# Takes a set and text such as "new or old". Returns the first that is there, else null.
self: set: spellings:
let
  there = self.lib.filter (name: set ? ${name}) (self.lib.splitString " or " spellings);
in
if there == [ ] then null else set.${self.lib.head there}
