# The library applied to the facts beside this file, for one release and one system.
# Takes the folder of the library, a nixpkgs, the stubs of other flakes by their names, and a function from a result to
# strings. Returns { arguments, cases, matters, names, rendered, values, valuesOf }: `valuesOf` goes from facts to
# strings, and `rendered` from a generated file.
{
  library,
  nixpkgs,
  stubs,
  system,
  valuesOf,
}:
let
  pkgs = import nixpkgs { inherit system; };
  inherit (pkgs) lib;
  nixpy = import library;
  found = lib.mapAttrs (
    _: path:
    (import (path + "/flake.nix")).outputs (
      found
      // {
        nixpkgs = (import (nixpkgs + "/flake.nix")).outputs { self = nixpkgs; };
        self.outPath = path;
      }
    )
  ) stubs;

  given = import ./facts.nix { inherit pkgs; };
  # All facts: those of every style, those of this one, and its name. `bare` has each fact, with the fewest parts.
  cases = lib.mapAttrs (
    style: kinds:
    let
      whole = lib.mapAttrs (
        kind: own:
        (if kind == "minimal" then given.common.minimal else given.common.full) // own // { inherit style; }
      ) kinds;
    in
    whole // { bare = lib.mapAttrs fewest whole.full; }
  ) (removeAttrs given [ "common" ]);
  fewest =
    name: fact:
    if sets ? ${name} then
      lib.filterAttrs (part: _: !(builtins.functionArgs sets.${name}).${part}) fact
    else if name == "shell" then
      { }
    else
      fact;

  functions = nixpy.functions {
    inherit pkgs;
    inputs = found;
  };
  result =
    facts:
    nixpy.mkProject {
      inherit facts pkgs;
      inputs = found;
      inherit (nixpy) format;
    };
  values = facts: outputs (result facts);
  outputs =
    project:
    valuesOf project
    // lib.mapAttrs' (name: package: {
      name = "meta.${name}";
      value = builtins.toJSON (package.meta or { });
    }) project.packages
    // lib.optionalAttrs (project ? wrap) { wrap = (project.wrap pkgs.ninja).drvPath; };

  # The functions that take a fact which is a set; `self` and `project` are not asked for.
  sets = {
    external = functions.external { } { };
    manager = functions.manager { } { } { };
    own = functions.own { } { } { } { } { };
    overrides = functions.overrides { } "";
    wheels = functions.wheels { };
  };
  common = lib.mapAttrs (_: _: true) given.common.full;
  argumentsOf = style: builtins.functionArgs (functions."styles/${style}" { });
  # Each way to leave out one fact that is optional, or one optional part of a fact.
  without =
    style: facts:
    let
      optional = removeAttrs (common // argumentsOf style) [
        "digest"
        "interpreter"
      ];
      parts =
        name:
        if name == "shell" then
          lib.attrNames facts.shell
        else if sets ? ${name} then
          # `scripts` needs `main`.
          lib.remove "main" (
            lib.attrNames (lib.filterAttrs (_: default: default) (builtins.functionArgs sets.${name}))
          )
        else
          [ ];
    in
    lib.listToAttrs (
      lib.concatMap (
        name:
        lib.optional (optional.${name} or false) (lib.nameValuePair name (removeAttrs facts [ name ]))
        ++ map (
          part:
          lib.nameValuePair "${name}.${part}" (
            facts
            // {
              ${name} = removeAttrs facts.${name} [ part ];
            }
          )
        ) (parts name)
      ) (lib.attrNames facts)
    );
in
{
  inherit cases;
  valuesOf = values;

  # The outputs of a generated file.
  rendered =
    file:
    outputs (
      import file {
        inherit pkgs;
        inputs = found // {
          nixpy.lib = nixpy;
        };
      }
    );

  # { STYLE = { FACT = whether it has a default; }; }, and the same for facts that are sets.
  arguments = {
    styles = lib.mapAttrs (style: _: argumentsOf style) cases;
    sets = lib.mapAttrs (_: builtins.functionArgs) sets;
  };

  # The facts of each case, and of each fact that is a set, by their names; and those that are plain text.
  names =
    let
      namesOf = facts: {
        facts = lib.attrNames facts;
        parts = lib.mapAttrs (_: lib.attrNames) (
          lib.filterAttrs (name: _: name == "shell" || sets ? ${name}) facts
        );
        plain = lib.filterAttrs (
          name: _:
          lib.elem name [
            "digest"
            "features"
            "style"
          ]
        ) facts;
      };
    in
    lib.mapAttrs (_: lib.mapAttrs (_: namesOf)) cases;

  # The outputs of each case.
  values = lib.mapAttrs (_: lib.mapAttrs (_: values)) cases;

  # For each optional fact of each case: whether it makes a difference to an output.
  matters = lib.mapAttrs (
    style: kinds:
    lib.mapAttrs (
      kind: _:
      let
        whole = values cases.${style}.${kind};
      in
      lib.mapAttrs (_: less: values less != whole) (without style cases.${style}.${kind})
    ) (removeAttrs kinds [ "minimal" ])
  ) (removeAttrs given [ "common" ]);
}
