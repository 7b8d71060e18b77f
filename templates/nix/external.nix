# What a project needs besides wheels: [external], and what builds packages without a wheel.
# Takes the libraries, their sonames and the facts. Returns the packages by role, and what styles and shells do with them.
self: libraries: sonames:
{
  build ? [ ], # tools that run in a build
  host ? [ ], # libraries to link to
  run ? [ ], # what the project starts or loads
  opened ? [ ], # sonames that the project opens by name when it runs
  versions ? { }, # { DEPENDENCY = { package, attribute, holds }; }
}:
let
  inherit (self) lib pkgs;

  # Python finds these by LD_LIBRARY_PATH, which child processes inherit: so it is exactly these, and comes last.
  farm = pkgs.linkFarm "nixpy-opened" (
    map (soname: {
      name = "lib/${soname}";
      path = "${libraries}/lib/${soname}";
    }) (lib.filter (soname: sonames ? ${soname}) opened)
  );

  # Nix takes 3.0 for newer than 3: without zeros at their ends, versions compare as Python's do.
  plain = version: lib.head (builtins.match "(.*[^.0]0*|0|)([.]0+)*" version);
  wrong = lib.concatLists (
    lib.mapAttrsToList (
      dependency: wanted:
      lib.optional (!wanted.holds (plain (lib.getVersion wanted.package))) (
        "${dependency} is asked for, and this nixpkgs has ${wanted.package.name}; "
        + "an overlay brings another: ${self.overlay wanted.attribute "…"}"
      )
    ) versions
  );
  said = map (line: "echo ${lib.escapeShellArg line} >&2\n");
in
{
  inherit build host run;

  # By these, programs find what they start and open.
  wrapperArgs = [
    "--prefix PATH : ${lib.makeBinPath run}"
  ]
  ++ lib.optional (opened != [ ] && self.isLinux) "--suffix LD_LIBRARY_PATH : ${farm}/lib";

  # For a package that is built with them: how it is built is for the build system to say, not for these tools.
  inputs = {
    nativeBuildInputs = build;
    buildInputs = host;
    dontUseCmakeConfigure = true;
    dontUseMesonConfigure = true;
    dontUseNinjaBuild = true;
    dontUseNinjaInstall = true;
  };

  warnings = lib.optionalString (versions != { }) (
    lib.concatStrings (said (map (line: "nixpy: ${line}") wrong)) + "\n"
  );
  checks = lib.optionalAttrs (versions != { }) {
    # Fails if this nixpkgs does not have the versions that are asked for.
    external = pkgs.runCommand "nixpy-external-check" { } ''
      ${lib.concatStrings (said wrong)}
      ${if wrong == [ ] then "touch $out" else "exit 1"}
    '';
  };
}
