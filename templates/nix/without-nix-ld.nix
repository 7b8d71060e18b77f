# Warns where programs in wheels find no loader: NixOS has one there only with nix-ld, else nothing or a stub.
# Takes the lines to print. Returns shell text.
self: lines:
let
  inherit (self.pkgs) stdenv;
  place = "/${if stdenv.hostPlatform.isx86_64 then "lib64" else "lib"}/${baseNameOf stdenv.cc.bintools.dynamicLinker}";
in
''
  case "$(uname -s) $(readlink -e ${place})" in
    "Linux " | *stub-ld*)
  ${self.lib.concatMapStrings (line: "    echo \"nixpy: ${line}\" >&2\n") lines}    ;;
  esac
''
