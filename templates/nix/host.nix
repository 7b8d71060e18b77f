# Where a loader looks, and what the host has.
# Takes the project. Returns { loader, hostLoader, searchPath, withoutNixLd }.
self: project:
let
  inherit (self) lib pkgs;
in
rec {
  # glibc's own loader.
  loader = pkgs.stdenv.cc.bintools.dynamicLinker;

  # Where programs in wheels expect one. NixOS has a loader there only with nix-ld.
  hostLoader = "/${if pkgs.stdenv.hostPlatform.isx86_64 then "lib64" else "lib"}/${baseNameOf loader}";

  # The graphics driver is the host's: its folder comes last and is not read at build time.
  searchPath =
    "${project.libraries}/lib" + lib.optionalString project.driver ":/run/opengl-driver/lib";

  # Shell text that prints the lines if the host has nothing, or NixOS's stub, in the place of the loader.
  withoutNixLd = lines: ''
    case "$(uname -s) $(readlink -e ${hostLoader})" in
      "Linux " | *stub-ld*)
    ${lib.concatMapStrings (line: "    echo \"nixpy: ${line}\" >&2\n") lines}    ;;
    esac
  '';
}
