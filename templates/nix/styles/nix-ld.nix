# Style nix-ld: programs in wheels start through nix-ld, which reads the libraries from NIX_LD_LIBRARY_PATH.
# nixpkgs' Python does not start through nix-ld. It gets the same libraries from its own loader, as in style loader. It
# does not read NIX_LD_LIBRARY_PATH, which outside this shell has the host's libraries, from another nixpkgs.
# Takes the project, and no facts of its own. Returns outputs for project.nix.
self: project:
{ }:
let
  inherit (self) lib pkgs;
  inherit (project) loader searchPath;
  # nix-ld prefers NIX_LD_x86_64_linux to NIX_LD.
  suffix = builtins.replaceStrings [ "-" ] [ "_" ] self.system;
  parts = self."styles/loader" project { };
in
parts
// {
  shell = parts.shell // {
    hook = ''
      unset NIX_LD_${suffix} NIX_LD_LIBRARY_PATH_${suffix}
      export NIX_LD=${loader} NIX_LD_LIBRARY_PATH=${searchPath}
    ''
    + parts.homeModule.home.activation.nixpyNixLd;
  };

  # `wrap pkgs.mpv` returns an mpv that finds the libraries, for plugins that Nix did not build. Do not wrap Python, use
  # `python`: child processes of a wrapped program inherit LD_LIBRARY_PATH and may load a library of another nixpkgs.
  wrap =
    program:
    pkgs.runCommand "${lib.getName program}-with-libraries"
      {
        nativeBuildInputs = [ pkgs.makeBinaryWrapper ];
        meta.mainProgram = program.meta.mainProgram or (lib.getName program);
      }
      ''
        for file in ${lib.getBin program}/bin/*; do
          makeBinaryWrapper "$file" "$out/bin/$(basename "$file")" \
            --inherit-argv0 \
            --suffix LD_LIBRARY_PATH : ${searchPath}
        done
      '';
}
