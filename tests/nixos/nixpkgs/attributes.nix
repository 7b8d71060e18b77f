# The plain packages of one release, from a table that says of each attribute what that release makes of it:
#
#   has      a package
#   warns    a package, and a warning each time it is used
#   throws   an error that says what to use instead
#   insecure, unfree, broken, unsupported
#            a package that its meta marks so
#   disabled a Python package that does not support this Python
#   -        no such attribute
#
# A dotted path makes nested sets; a set that is itself a row is a package with attributes (`postgresql.lib`).
{
  lib,
  release,
  package,
}:
let
  # "a,b\nc,d\n" as a list of lists. The tables quote nothing.
  rows =
    file:
    map (lib.splitString ",") (
      lib.filter (line: line != "") (
        lib.splitString "\n" (lib.replaceStrings [ "\r" ] [ "" ] (builtins.readFile file))
      )
    );

  # { "xorg.libX11" = "warns"; ... } for this release
  states =
    file:
    let
      table = rows file;
      columns = lib.head table;
      column = lib.findFirst (i: lib.elemAt columns i == release) (throw "no column ${release}") (
        lib.range 0 (lib.length columns - 1)
      );
    in
    lib.filterAttrs (_: state: state != "-") (
      lib.listToAttrs (
        map (row: lib.nameValuePair (lib.head row) (lib.elemAt row column)) (lib.tail table)
      )
    );

  outputs = [
    "bin"
    "dev"
    "lib"
    "out"
    "static"
  ];

  # `states` as a tree: { state = "has"; children = { lib = { … }; }; }
  tree =
    paths:
    lib.mapAttrs (_: below: {
      state = (lib.findFirst (item: item.path == [ ]) { state = null; } below).state;
      children = tree (lib.filter (item: item.path != [ ]) below);
    }) (
      lib.mapAttrs (_: map (item: item // { path = lib.tail item.path; })) (
        lib.groupBy (item: lib.head item.path) paths
      )
    );

  build =
    prefix:
    lib.mapAttrs (
      name: node:
      let
        path = "${prefix}${name}";
        children = build "${path}." node.children;
        isOutput = child: lib.elem child outputs && node.children.${child}.state != null;
        made =
          marks:
          package (
            {
              pname = lib.replaceStrings [ "." ] [ "-" ] path;
              outputs = lib.unique ([ "out" ] ++ lib.filter isOutput (lib.attrNames children));
            }
            // marks
          )
          // lib.filterAttrs (child: _: !isOutput child) children;
        plain = made { };
      in
      {
        has = plain;
        # The mark lets a test ask after the warning without reading what Nix prints.
        warns = lib.warn "${path} is deprecated in ${release}" (plain // { warnsHere = true; });
        throws = throw "${path} has been removed before ${release}";
        nothing = children;
        insecure = made { meta.knownVulnerabilities = [ "CVE-2024-0001" ]; };
        unfree = made { meta.license.free = false; };
        broken = made { meta.broken = true; };
        unsupported = made { meta.platforms = [ "riscv64-linux" ]; };
        disabled = made { disabled = true; };
      }
      .${if node.state == null then "nothing" else node.state}
    );
in
file:
build "" (
  tree (
    lib.mapAttrsToList (path: state: {
      inherit state;
      path = lib.splitString "." path;
    }) (states file)
  )
)
