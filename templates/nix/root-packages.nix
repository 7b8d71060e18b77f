# Further packages of a root file system: the user's packages, and libraries with their headers, since a compiler in the
# root searches /usr/include.
# Takes the project. Returns a list of packages.
self: project:
let
  inherit (project) shell;
  external = if project.external == null then { } else project.external;
  inputs = shell.inputs or [ ];
  host = external.host or [ ];
in
shell.packages or [ ]
++ inputs
++ map self.lib.getDev inputs
++ external.build or [ ]
++ external.run or [ ]
++ host
++ map self.lib.getDev host
