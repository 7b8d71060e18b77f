# `build.util`: the programs of one package, of an environment that has them.
{ stdenv, lib }:
{
  mkApplication =
    { venv, package }:
    stdenv.mkDerivation {
      inherit (package) name;
      inherit venv package;
      inherit (package) meta;
      dontUnpack = true;
      installPhase = ''
        mkdir -p $out/bin
        for program in $package/bin/*; do ln -s "$venv/bin/''${program##*/}" $out/bin/; done
      '';
    };
}
