# Style micromamba: an environment of conda packages in .micromamba, in a root file system with /lib and /usr/lib.
# Takes the project, and no facts of its own. Returns outputs for project.nix.
self: project:
{ }:
let
  inherit (self) isLinux lib pkgs;
  fhs = pkgs.buildFHSEnv {
    name = "nixpy-fhs";
    targetPkgs =
      _:
      [
        pkgs.micromamba
        project.libraries
      ]
      ++ self.root-packages project;
    runScript = self.conda project {
      start = ''
        eval "$(micromamba shell hook --shell bash)"
      '';
      fromYml = ''
        micromamba "$([ -d "$prefix/conda-meta" ] && echo update || echo create)" --yes --quiet \
            --prefix "$prefix" --file "$project/environment.yml"'';
      fromTxt = ''
        micromamba install --yes --quiet --prefix "$prefix" --channel conda-forge \
            --file "$project/conda-requirements.txt"'';
      bare = ''micromamba create --yes --quiet --prefix "$prefix" --channel conda-forge python=${project.interpreter.pythonVersion}'';
    };
  };
  # bubblewrap exists only for Linux, and macOS needs no root.
  root = self.root project (if isLinux then lib.getExe' fhs "nixpy-fhs" else "");
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
