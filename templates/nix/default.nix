# The functions of nixpy as a library, for flakes and for reading: what `inputs.self.lib` is.
#
# Every other file here is a function of one argument: the set of all of them, with `pkgs`, `lib`, `inputs`, `system` and
# `isLinux`. A generated file holds the text of those that its project uses.
let
  # The files of a folder below this one, by their names with the folder: "styles/loader".
  below =
    folder: suffix: read:
    builtins.listToAttrs (
      builtins.concatMap (
        file:
        let
          name = builtins.match "(.*)[.]${suffix}" file;
        in
        if name == null || folder == "" && file == "default.nix" then
          [ ]
        else
          [
            {
              name = folder + builtins.head name;
              value = read (./. + "/${folder}${file}");
            }
          ]
      ) (builtins.attrNames (builtins.readDir (./. + "/${folder}")))
    );
  files =
    below "" "nix" import
    // below "styles/" "nix" import
    // below "features/" "nix" import
    // below "manager/" "nix" import
    // below "shell/" "nix" import
    // below "programs/" "py" builtins.readFile;

  # The number of the form that facts have. A generated file says for which it was written.
  ours = 2;

  # All functions for a nixpkgs, each applied to the others.
  functions =
    {
      pkgs,
      inputs ? { },
    }:
    let
      self = {
        inherit inputs pkgs;
        inherit (pkgs) lib;
        inherit (pkgs.stdenv.hostPlatform) isLinux system;
      }
      // builtins.mapAttrs (_: file: if builtins.isFunction file then file self else file) files;
    in
    self;
in
{
  inherit functions;
  format = ours;

  # What a generated file returns, from its facts and their format.
  mkProject =
    {
      pkgs,
      inputs ? { },
      facts,
      format,
    }:
    if format == ours then
      (functions { inherit inputs pkgs; }).project facts
    else
      throw ''
        nixpy: these facts have format ${toString format}, and the flake input `nixpy` reads format ${toString ours}.
        If the input is older than the nixpy that wrote the facts, run: nix flake update nixpy
        If it is newer, run that version's `nixpy sync`'';
}
