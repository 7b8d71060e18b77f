# Turns the facts of a project into what its generated file returns.
# Takes the facts: those named here are for every style, the others for this one, which refuses what it does not know.
# Returns { python, libraries, shell, packages, checks, apps, nixosModule, homeModule }, and what the style adds.
self:
{
  digest,
  interpreter,
  style,
  ...
}@facts:
let
  inherit (self) lib pkgs;
  common = {
    inherit digest interpreter style;
    driver = false; # whether the graphics driver of the host is searched
    external = null; # what is needed besides wheels
    features = [ ];
    lock = "nixpy.lock"; # its path from the project's folder; it has the same digest
    manager = null; # what fills .venv
    shell = { }; # what the settings add to the shell
    sonames = { }; # { SONAME = package; }
  };
  project = common // facts // rec {
    features = map (name: self."features/${name}") (facts.features or [ ]);
    interpreter = lib.pipe common.interpreter (lib.catAttrs "interpreter" features);
    libraries = self.libraries project.sonames;
    external =
      if facts ? external then self.external libraries project.sonames facts.external else null;
    # glibc's own loader.
    loader = pkgs.stdenv.cc.bintools.dynamicLinker;
    # The graphics driver is the host's: its folder comes last and is not read at build time.
    searchPath = "${libraries}/lib" + lib.optionalString project.driver ":/run/opengl-driver/lib";
  };
  # No `lib` here: the names of the outputs are known without nixpkgs.
  parts = self."styles/${project.style}" project (removeAttrs facts (builtins.attrNames common));
  inherit (project) external libraries;
in
{
  apps = { };
  nixosModule = { };
  homeModule = { };
}
// parts
// {
  inherit libraries;
  shell = self.dev-shell project parts.python (parts.shell or { });
  packages = {
    inherit libraries;
    default = parts.python;
  }
  // parts.packages or { };
  checks = {
    # Fails unless each package really contains the soname that it stands for.
    libraries = pkgs.runCommand "nixpy-libraries-check" { } ''
      if [ -e ${libraries}/missing ]; then
        cat ${libraries}/missing >&2
        exit 1
      fi
      touch $out
    '';
  }
  // external.checks or { }
  // parts.checks or { };
}
