# `build.packages`: a set of Python packages that overlays fill, and virtual environments of them.
{ lib }:
{
  pkgs,
  python,
  stdenv,
}:
let
  # A specification { name = [ extras and groups ]; } with all that the packages in it depend on.
  close =
    set: spec:
    let
      merge = lib.foldl' (
        known: one:
        known // lib.mapAttrs (name: chosen: lib.unique (known.${name} or [ ] ++ chosen)) one
      );
      wanted =
        name: chosen:
        let
          inherit (set.${name}) passthru;
          parts = passthru.optional-dependencies // passthru.dependency-groups;
        in
        [ passthru.dependencies ] ++ map (part: parts.${part}) chosen;
      again =
        known:
        let
          next = merge known (lib.concatLists (lib.mapAttrsToList wanted known));
        in
        if next == known then known else again next;
    in
    lib.attrNames (again spec);

  base = final: {
    inherit pkgs python stdenv;
    callPackage = lib.callPackageWith (pkgs // final);
    resolveBuildSystem = spec: map (name: final.${name}) (lib.attrNames spec);
    mkVirtualEnv =
      name: spec:
      stdenv.mkDerivation {
        inherit name;
        packages = map (package: final.${package}) (close final spec);
        nativeBuildInputs = [ python ];
        venvIgnoreCollisions = [ ];
        dontUnpack = true;
        installPhase = "source ${./venv.sh}";
        inherit (python) executable sitePackages;
        interpreter = python.interpreter;
      };
  };

  scope =
    overlay:
    lib.fix (lib.extends overlay base)
    // {
      overrideScope = more: scope (lib.composeExtensions overlay more);
    };
in
scope (_: _: { })
