# Whether the nixpkgs packages of the table of sonames contain their libraries, for the flake's nixpkgs.
# Takes the functions of nixpy as a library. Returns a derivation that links every library, and fails if one is missing.
self:
let
  inherit (self) lib pkgs;
  # soname, provider, expression, darwin, note. Only the note can contain a comma.
  row = builtins.match "([^,]+),nixpkgs,([^,]+),([^,]*),.*";
  rows = lib.pipe ../../scaffold/nixpy/libraries/sonames.csv [
    builtins.readFile
    (lib.splitString "\n")
    (map row)
    (lib.filter (found: found != null && (self.isLinux || lib.elemAt found 2 == "yes")))
  ];
  # `pkgs.a.b` or `(pkgs.new or pkgs.old)`: the first attribute that exists.
  package =
    expression:
    lib.pipe expression [
      (lib.removePrefix "(")
      (lib.removeSuffix ")")
      (lib.splitString " or ")
      (map (attribute: lib.tail (lib.splitString "." attribute)))
      (lib.foldl' (found: path: if found == null then lib.attrByPath path null pkgs else found) null)
    ];
  sonames = lib.listToAttrs (
    map (found: {
      name = lib.elemAt found 0;
      value = package (lib.elemAt found 1);
    }) rows
  );
  libraries = self.libraries sonames;
in
pkgs.runCommand "nixpy-catalogue" { passthru = { inherit sonames; }; } ''
  if [ -e ${libraries}/missing ]; then
    cat ${libraries}/missing >&2
    exit 1
  fi
  ln -s ${libraries} $out
''
