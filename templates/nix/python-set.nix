# nixpkgs' Python set, with locked wheels for packages that nixpkgs lacks.
# Takes the project and the facts: for each name on the index, the attribute in nixpkgs.
# Returns { ps, fromWheel, direct, taken, packagesFor }: `packagesFor` returns the packages for a list of names, each
# once; `taken` returns them with their names.
self: project:
{
  wheels,
  packages, # packages that the project requires
  others ? { }, # packages that wheels, or extras of nixpkgs' packages, require
  versions ? "nixpkgs", # which version to use if both have a package: "nixpkgs" or "locked"
}:
let
  inherit (self) lib;
  ps = project.interpreter.pkgs;
  inherit (self.wheels project wheels package) fromWheel lock;

  # "new or old": the first attribute that this nixpkgs has. The text ends in "or null" if no package is known.
  find =
    name: spellings:
    let
      fromNixpkgs = self.first-of ps spellings;
      absent =
        if lib.hasSuffix " or null" spellings then
          null
        else
          throw "nixpy: nixpkgs has no ${name}, and there is no wheel of it for ${self.system}";
      found = if versions == "locked" then fromWheel.${name} or fromNixpkgs else fromNixpkgs;
    in
    if found != null then found else fromWheel.${name} or absent;
  named = lib.mapAttrs find (packages // others);

  package =
    name:
    self.choose name (named.${name} or ps.${name} or fromWheel.${name}) (fromWheel.${name} or null);

  # Add the requirements of wheels. Packages of nixpkgs propagate their own requirements, but not those of extras.
  taken =
    names:
    let
      entries =
        keys:
        lib.filter (entry: entry.package != null) (
          map (key: {
            inherit key;
            package = package key;
          }) keys
        );
      here = map (entry: entry.name) (lock.wheels ++ lock.unavailable or [ ]);
      byExtras = lib.listToAttrs (
        map (wheel: lib.nameValuePair wheel.name (wheel.by-extras or [ ])) lock.wheels
      );
    in
    builtins.genericClosure {
      startSet = entries (lib.intersectLists names here);
      operator = entry: entries (entry.package.lockedWheel.requires or byExtras.${entry.key} or [ ]);
    };
in
{
  inherit ps fromWheel taken;
  direct = lib.attrNames packages;

  # Use no wheel of a package that packages of nixpkgs propagate already.
  packagesFor =
    names:
    let
      split = lib.partition (package: package ? lockedWheel) (map (entry: entry.package) (taken names));
      propagated = map (module: normal (module.pname or "")) (ps.requiredPythonModules split.wrong);
      normal = name: builtins.replaceStrings [ "_" "." ] [ "-" "-" ] (lib.toLower name);
    in
    split.wrong ++ lib.filter (package: !lib.elem package.lockedWheel.name propagated) split.right;
}
