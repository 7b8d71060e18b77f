# Apps of a flake: `nix run .#NAME` starts one of the project's programs.
# Takes the package with the programs, its name for the description, and the names of the programs. Returns the apps.
self: package: owner: names:
self.lib.genAttrs names (name: {
  type = "app";
  program = self.lib.getExe' package name;
  meta.description = "A program of ${owner}";
})
