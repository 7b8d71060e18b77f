# Links the libraries that wheels need into one folder. No other file of a package can then shadow a wheel's own file.
# Takes { SONAME = package; }. Returns a derivation with lib/SONAME, and a file `missing` if a package lacks its soname.
self: sonames:
let
  inherit (self) lib;
  link = soname: package: "link ${lib.getLib package} ${lib.escapeShellArg soname}\n";
  # macOS has libcairo.2.dylib where Linux has libcairo.so.2.
  files = if self.isLinux then ''"$1/lib/$2"'' else ''"$1"/lib/"''${2%%.so*}".*dylib'';
in
self.pkgs.runCommand "nixpy-libraries" { } ''
  mkdir -p $out/lib
  link() {
    for file in ${files}; do
      if [ -e "$file" ]; then
        ln -s "$file" $out/lib/
      else
        echo "$2 is not in $1" >> $out/missing
      fi
    done
  }
  ${lib.concatStrings (lib.mapAttrsToList link sonames)}''
