# Dependencies that are not Python packages: those of [external], and those that build packages without a wheel.
# Takes the libraries, their sonames and the facts. Returns the packages by role, and arguments for wrappers and builds.
self: libraries: sonames:
{
  build ? [ ], # tools that run in a build
  host ? [ ], # libraries to link to
  run ? [ ], # programs and libraries that the project starts or loads
  opened ? [ ], # sonames that the project opens by name when it runs
  versions ? { }, # { DEPENDENCY = { package, attribute, holds }; }
}:
let
  inherit (self) lib pkgs;

  # Python finds these in LD_LIBRARY_PATH, which child processes inherit. So the folder has only these, and comes last.
  farm = pkgs.linkFarm "nixpy-opened" (
    map (soname: {
      name = "lib/${soname}";
      path = "${libraries}/lib/${soname}";
    }) (lib.filter (soname: sonames ? ${soname}) opened)
  );

  # Nix sorts 3.0 after 3, Python does not: without trailing zeros, both compare versions in the same way.
  plain = version: lib.head (builtins.match "(.*[^.0]0*|0|)([.]0+)*" version);
  wrong = lib.concatLists (
    lib.mapAttrsToList (
      dependency: wanted:
      lib.optional (!wanted.holds (plain (lib.getVersion wanted.package))) (
        "the project requires ${dependency}, and this nixpkgs has ${wanted.package.name}; "
        + "to use another version, add an overlay: ${self.overlay wanted.attribute "…"}"
      )
    ) versions
  );
  print = map (line: "echo ${lib.escapeShellArg line} >&2\n");
in
{
  inherit build host run;

  # With these, programs find the programs that they start and the libraries that they open.
  wrapperArgs = [
    "--prefix PATH : ${lib.makeBinPath run}"
  ]
  ++ lib.optional (opened != [ ] && self.isLinux) "--suffix LD_LIBRARY_PATH : ${farm}/lib";

  # For a package that is built with these tools: the build system calls them; their own setup hooks must not run.
  inputs = {
    nativeBuildInputs = build;
    buildInputs = host;
    dontUseCmakeConfigure = true;
    dontUseMesonConfigure = true;
    dontUseNinjaBuild = true;
    dontUseNinjaInstall = true;
  };

  warnings = lib.optionalString (versions != { }) (
    lib.concatStrings (print (map (line: "nixpy: ${line}") wrong)) + "\n"
  );
  checks = lib.optionalAttrs (versions != { }) {
    # Fails if this nixpkgs does not have the versions that the project requires.
    external = pkgs.runCommand "nixpy-external-check" { } ''
      ${lib.concatStrings (print wrong)}
      ${if wrong == [ ] then "touch $out" else "exit 1"}
    '';
  };
}
