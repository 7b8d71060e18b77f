# The common outputs of styles with their own interpreter, which a whole system or home can use.
# Takes the project and its Python. Returns { python, shell, nixosModule, homeModule }.
self: project: python: {
  inherit python;
  shell.relink = self.relink project python;
  # For NixOS: this Python for all users, and nix-ld with the same libraries for programs inside wheels.
  nixosModule = {
    environment.systemPackages = [ python ];
    programs.nix-ld.enable = true;
    programs.nix-ld.libraries = [ project.libraries ];
  };
  # For home-manager: the same for one user. Only the system can enable nix-ld.
  # Lists of several modules merge, and the libraries of the system come last. NIX_LD stays as it is.
  homeModule.home = {
    packages = [ python ];
    sessionSearchVariables = self.lib.optionalAttrs self.isLinux {
      NIX_LD_LIBRARY_PATH = self.lib.mkMerge [
        [ project.searchPath ]
        (self.lib.mkAfter [ "/run/current-system/sw/share/nix-ld/lib" ])
      ];
    };
    activation.nixpyNixLd = self.without-nix-ld [
      "this host has no nix-ld, so programs inside wheels do not start;"
      "on NixOS, set programs.nix-ld.enable = true"
    ];
  };
}
