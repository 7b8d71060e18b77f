# Turns the facts of a project into the outputs of its generated file.
# Takes the facts: every style has those named here; the style takes the others and refuses unknown ones.
# Returns { python, libraries, shell, packages, checks, apps, nixosModule, homeModule }, and the outputs of the style.
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
    allow-marked = [ ]; # Python packages to take from nixpkgs although it marks them insecure or unfree
    driver = false; # whether to search the host's graphics driver
    external = null; # dependencies that are not Python packages
    features = [ ];
    lock = "nixpy.lock"; # its path from the project's folder; it has the same digest
    manager = null; # the tool that fills .venv
    shell = { }; # packages, variables and shell text from the settings
    sonames = { }; # { SONAME = package; }
    venv = ".venv"; # its path from the project's folder
  };
  project = common // facts // rec {
    features = map (name: self."features/${name}") (facts.features or [ ]);
    interpreter = lib.pipe (
      if facts ? allow-marked then
        self.allow-marked facts.allow-marked common.interpreter
      else
        common.interpreter
    ) (lib.catAttrs "interpreter" features);
    libraries = self.libraries project.sonames;
    external =
      if facts ? external then self.external libraries project.sonames facts.external else null;
    # The loader of glibc.
    loader = pkgs.stdenv.cc.bintools.dynamicLinker;
    # The host supplies the graphics driver: its folder comes last and is not read at build time.
    searchPath = "${libraries}/lib" + lib.optionalString project.driver ":/run/opengl-driver/lib";
  };
  # `builtins` instead of `lib`, so that Nix can list the outputs without evaluating nixpkgs.
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
    # Fails unless each package contains its soname.
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
