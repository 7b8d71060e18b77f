# The Nix functions of nixpy as a library: `lib` of nixpy's flake.
#
# Every other file here is a function of one argument: the set of all functions, with `pkgs`, `lib`, `inputs`, `system`
# and `isLinux`. A generated file contains the text of the functions that its project uses.
let
  # The files of a subfolder, by their paths without the suffix: "styles/loader".
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

  # The version of the format of the facts. A generated file names the version that it was written for.
  ours = 2;

  # All functions for one nixpkgs, each applied to this set.
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

  # The outputs of a generated file, from its facts and their format.
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
