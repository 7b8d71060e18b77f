# Warns if programs in wheels find no loader. NixOS has a working loader in /lib64 or /lib only with nix-ld.
# Takes the lines to print. Returns shell text.
self: lines:
let
  inherit (self.pkgs.stdenv) cc hostPlatform;
  folder = if hostPlatform.isx86_64 then "lib64" else "lib";
  print = line: "    echo \"nixpy: ${line}\" >&2\n";
in
''
  case "$(uname -s) $(readlink -e /${folder}/${baseNameOf cc.bintools.dynamicLinker})" in
    "Linux " | *stub-ld*)
  ${self.lib.concatMapStrings print lines}    ;;
  esac
''
