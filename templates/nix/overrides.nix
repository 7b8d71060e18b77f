# What a builder of wheels must be told of each: a lock does not say what a wheel links to.
# Takes the project, the name of the function that changes a package, and the facts. Returns an overlay for the builder's
# packages.
self: project: change:
{
  links ? { }, # { WHEEL = "SONAME SONAME …"; }
  siblings ? { }, # { WHEEL = "WHEEL WHEEL …"; }: those that ship what it links to
  opens ? { }, # { WHEEL = [ "libraries" "driver" ]; }: where it looks for what it opens by its name at run time
  missing ? [ ], # sonames that no package supplies: optional ones, those of the host, and ignored ones
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
    # What is locked for other systems alone is null.
    name: wanted: if prev.${name} == null then null else prev.${name}.${change} (override name wanted)
  ) (builtins.intersectAttrs prev links)
)
