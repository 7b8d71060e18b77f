# Style conda: an environment of conda packages in .conda, in the root file system that nixpkgs has for conda. That root
# installs conda into ~/.conda when it starts for the first time.
# Takes the project, and no facts of its own. Returns outputs for project.nix.
self: project:
{ }:
let
  inherit (self) isLinux lib pkgs;
  conda = pkgs.conda.override {
    extraPkgs = [ project.libraries ] ++ self.root-packages project;
  };
  run = self.conda project {
    fromYml = ''conda env update --quiet --prune --prefix "$prefix" --file "$project/environment.yml"'';
    fromTxt = ''
      conda install --yes --quiet --prefix "$prefix" --channel conda-forge \
          --file "$project/conda-requirements.txt"'';
    bare = ''conda create --yes --quiet --prefix "$prefix" --channel conda-forge python=${project.interpreter.pythonVersion}'';
  };
  root = self.root project (if isLinux then "${lib.getExe' conda "conda-shell"} ${run}" else "");
in
{
  inherit (root) apps python;
  shell = {
    inherit (root) lastHook;
    packages = [
      root.python
      root.enter
    ];
  };
}
