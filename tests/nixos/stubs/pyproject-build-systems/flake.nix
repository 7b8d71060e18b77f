{
  description = "A stub of pyproject.nix's build systems";

  outputs =
    { nixpkgs, ... }:
    {
      overlays.wheel =
        final: _prev:
        nixpkgs.lib.genAttrs
          [
            "editables"
            "flit-core"
            "poetry-core"
            "setuptools"
            "uv-build"
            "wheel"
          ]
          (
            pname:
            final.stdenv.mkDerivation {
              inherit pname;
              version = "0";
              dontUnpack = true;
              installPhase = "mkdir $out";
              passthru = {
                format = "wheel";
                dependencies = { };
                optional-dependencies = { };
                dependency-groups = { };
              };
            }
          )
        // {
          inherit (final.python.pkgs) hatchling;
        };
    };
}
