# Feature tkinter: an interpreter with the module `_tkinter`, which nixpkgs keeps in a Python package. A virtual
# environment does not see that package, and the shell unsets PYTHONPATH; it always sees the standard library.
# Takes nixpkgs. Returns { interpreter }, a function from an interpreter to one with the module.
self:
let
  inherit (self) pkgs;
  # `tkinter` is built for the interpreter of nixpkgs, and also fits one that is made of it.
  extend =
    tkinter: base:
    let
      inherit (base) executable libPrefix;
      modules = "${tkinter}/${base.sitePackages}";
      python = pkgs.symlinkJoin {
        inherit (base) meta name;
        paths = [ base ];
        postBuild = ''
          # CPython looks for its standard library next to its own file, so that must be no link.
          rm -f $out/bin/python $out/bin/python3 $out/bin/${executable}
          cp ${base}/bin/${executable} $out/bin/${executable}
          ln -s ${executable} $out/bin/python3
          ln -s ${executable} $out/bin/python
          ln -s ${modules}/_tkinter* $out/lib/${libPrefix}/lib-dynload/
          [ -e $out/lib/${libPrefix}/tkinter ] || ln -s ${modules}/tkinter $out/lib/${libPrefix}/
        '';
        passthru = base.passthru // {
          inherit (base) version;
          interpreter = "${python}/bin/${executable}";
          override = arguments: extend tkinter (base.override arguments);
          overrideAttrs = change: extend tkinter (base.overrideAttrs change);
          # Environments are made of the packages, and of `base`.
          buildEnv = base.buildEnv // {
            override =
              arguments:
              base.buildEnv.override (
                arguments // { extraLibs = arguments.extraLibs or [ ] ++ [ base.pkgs.tkinter ]; }
              );
          };
          withPackages = choose: python.buildEnv.override { extraLibs = choose base.pkgs; };
        };
      };
    in
    python;
in
{
  interpreter = base: extend base.pkgs.tkinter base;
}
