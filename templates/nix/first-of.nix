# Finds a package that has several names, depending on the version of nixpkgs.
# Takes a set and text such as "new or old". Returns the first attribute that exists, else null.
self: set: spellings:
let
  there = self.lib.filter (name: set ? ${name}) (self.lib.splitString " or " spellings);
in
if there == [ ] then null else set.${self.lib.head there}
