# Turns the facts of a project into what its generated file returns.
# Takes the facts: `common` names those of every style, the style takes the others.
# Returns { python, libraries, shell, packages, checks, apps, nixosModule, homeModule }.
self: facts:
let
  inherit (self) lib pkgs;

  common =
    {
      digest,
      driver ? false,
      external ? null,
      features ? [ ],
      interpreter,
      lock ? "nixpy.lock",
      manager ? null,
      shell ? { },
      sonames ? { },
      style,
    }:
    let
      chosen = map (name: self."features/${name}") features;
      libraries = self.libraries sonames;
    in
    {
      inherit
        digest
        driver
        libraries
        lock
        manager
        shell
        sonames
        style
        ;
      features = chosen;
      interpreter = lib.foldl' (base: feature: feature.interpreter or lib.id base) interpreter chosen;
      external = if external == null then null else self.external libraries sonames external;
    };
  # No `lib` here: the names of the outputs are known without nixpkgs.
  inherit (builtins) attrNames functionArgs intersectAttrs;
  project = common (intersectAttrs (functionArgs common) facts);
  parts = self."styles/${project.style}" project (removeAttrs facts (attrNames (functionArgs common)));

  outputs =
    {
      python,
      shell ? { },
      packages ? { },
      checks ? { },
      apps ? { },
      nixosModule ? { },
      homeModule ? { },
      others ? { },
    }:
    others
    // {
      inherit apps homeModule nixosModule;
      inherit python;
      inherit (project) libraries;
      shell = self.dev-shell project python shell;
      packages = {
        inherit (project) libraries;
        default = python;
      }
      // packages;
      checks = {
        # Fails unless each package really contains the soname that it stands for.
        libraries = pkgs.runCommand "nixpy-libraries-check" { } ''
          if [ -e ${project.libraries}/missing ]; then
            cat ${project.libraries}/missing >&2
            exit 1
          fi
          touch $out
        '';
      }
      // lib.optionalAttrs (project.external != null) project.external.checks
      // checks;
    };
in
outputs parts
