# Chooses between a package of nixpkgs and its locked wheel, by what nixpkgs says about the package.
# Takes the name, the package of nixpkgs, and the wheel or null. Returns one of the two.
# The wheel replaces a package that nixpkgs lacks: its attribute throws, or it is disabled for this Python. The wheel also
# replaces a package that is marked broken or unsupported, and Nix warns. If nixpkgs refuses a package for another mark,
# such as insecure or unfree, its error stays. All this holds too if only a Python package that it depends on is marked.
self: name: found: wheel:
let
  inherit (self) lib;

  # nixpkgs refuses a package when its path is evaluated. `meta` and `disabled` can be read before.
  stateOf =
    package:
    let
      meta = package.meta or { };
    in
    if package.disabled or false then
      "missing"
    else if meta.available or true then
      "usable"
    else if meta.insecure or false || meta.unfree or false then
      "refused"
    else if meta.broken or false || meta.unsupported or false then
      "unbuilt"
    else
      "refused";

  entries = lib.concatMap (
    package:
    let
      tried = builtins.tryEval package;
    in
    if !tried.success then
      [
        {
          key = "";
          state = "missing";
        }
      ]
    else
      lib.optional (lib.isDerivation tried.value) {
        key = tried.value.name;
        state = stateOf tried.value;
        inputs = lib.optionals (tried.value ? pythonModule) (
          tried.value.propagatedBuildInputs or [ ]
          ++ tried.value.nativeBuildInputs or [ ]
          ++ tried.value.buildInputs or [ ]
        );
      }
  );
  closure = builtins.genericClosure {
    startSet = entries [ found ];
    operator = entry: entries (entry.inputs or [ ]);
  };
  named = state: map (entry: entry.key) (lib.filter (entry: entry.state == state) closure);
  unbuilt = toString (named "unbuilt");
in
if wheel == null || named "refused" != [ ] then
  found
else if named "missing" != [ ] then
  wheel
else if unbuilt != "" then
  lib.warn "nixpy: nixpkgs marks ${unbuilt} broken or unsupported on ${self.system}; using the wheel of ${name}" wheel
else
  found
