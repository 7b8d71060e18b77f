# Feature optimized: CPython compiled with profile-guided optimization, which is not reproducible, and without hardening
# by the compiler. That takes 10 to 30 minutes. Packages that nixpkgs builds for this interpreter are compiled, too.
# Takes nothing. Returns { interpreter }, a function from an interpreter to the optimized one.
_: {
  interpreter =
    base:
    let
      python =
        (base.override {
          self = python;
          enableOptimizations = true;
          reproducibleBuild = false;
        }).overrideAttrs
          { hardeningDisable = [ "all" ]; };
    in
    python;
}
