# nixpkgs' Python set, with locked wheels for what it lacks.
# Takes the project and the facts: for each name of the index, the attribute of nixpkgs that has it.
# Returns { ps, direct, taken, packagesFor }: `packagesFor` makes a list of packages of names, one copy of each, and
# `taken` also says by which name each one came.
self: project:
{
  wheels,
  packages, # what the project asks for
  others ? { }, # what wheels, and extras of nixpkgs' packages, ask for in turn
  versions ? "nixpkgs", # whose version is taken where both have a package; or "locked"
}:
let
  inherit (self) lib;
  ps = project.interpreter.pkgs;
  inherit (self.wheels project wheels package) fromWheel lock;

  # "new or old": the first that this nixpkgs has. Packages that nothing is known to supply end in "or null".
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

  # What nixpkgs let go of, or does not have for this Python, throws when it is asked for: then the wheel is taken.
  package =
    name:
    let
      found = named.${name} or ps.${name} or fromWheel.${name};
      usable = (builtins.tryEval (found.outPath or null)).success;
    in
    if usable then found else fromWheel.${name} or found;

  # With a wheel comes what it asks for; nixpkgs' packages bring along what they need, but not what extras want.
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

  # What nixpkgs' packages bring along is not taken from a wheel as well.
  packagesFor =
    names:
    let
      split = lib.partition (package: package ? lockedWheel) (map (entry: entry.package) (taken names));
      brought = map (module: normal (module.pname or "")) (ps.requiredPythonModules split.wrong);
      normal = name: builtins.replaceStrings [ "_" "." ] [ "-" "-" ] (lib.toLower name);
    in
    split.wrong ++ lib.filter (package: !lib.elem package.lockedWheel.name brought) split.right;
}
