# Gives the wheels of uv2nix or poetry2nix their libraries, since a lock does not list what a wheel links to.
# Takes the project, the name of the function that changes a package, and the facts. Returns an overlay.
self: project: change:
{
  links ? { }, # { WHEEL = "SONAME SONAME …"; }
  siblings ? { }, # { WHEEL = "WHEEL WHEEL …"; }: the wheels that contain libraries that it links to
  opens ? { }, # { WHEEL = [ "libraries" "driver" ]; }: where it searches for libraries that it opens at run time
  missing ? [ ], # sonames that no package supplies: optional sonames, those of the host, and ignored sonames
}:
final: prev:
let
  inherit (self) lib;
  runpaths = {
    libraries = "${project.libraries}/lib";
    driver = "/run/opengl-driver/lib";
  };
  among = text: value: lib.elem value (lib.splitString " " text);
  override =
    name: wanted: old:
    {
      buildInputs =
        old.buildInputs or [ ]
        ++ lib.unique (lib.attrValues (lib.filterAttrs (soname: _: among wanted soname) project.sonames));
    }
    // lib.optionalAttrs (missing != [ ]) { autoPatchelfIgnoreMissingDeps = missing; }
    // lib.optionalAttrs (opens != { }) {
      appendRunpaths = old.appendRunpaths or [ ] ++ map (key: runpaths.${key}) (opens.${name} or [ ]);
    }
    // lib.optionalAttrs (siblings != { }) {
      preFixup =
        old.preFixup or ""
        + lib.concatMapStrings (other: ''
          addAutoPatchelfSearchPath ${final.${other}}/${project.interpreter.sitePackages}
        '') (lib.filter (other: among (siblings.${name} or "") other) (lib.attrNames final));
    };
in
lib.optionalAttrs self.isLinux (
  lib.mapAttrs (
    # A package that is locked only for other systems is null.
    name: wanted: if prev.${name} == null then null else prev.${name}.${change} (override name wanted)
  ) (builtins.intersectAttrs prev links)
)
