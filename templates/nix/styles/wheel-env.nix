# Style wheel-env: an environment of the locked wheels in the store, with the project itself if it has a build system.
# Takes the project and the facts that wheels.nix, own.nix and requirements.nix name. Returns outputs for
# project.nix.
self: project:
{
  wheels,
  own ? null,
  requirements ? [ ],
}:
let
  inherit (self) isLinux lib pkgs;
  inherit (project) interpreter;
  inherit (self.wheels project wheels (name: fromWheel.${name})) fromWheel;
  ps = interpreter.pkgs;
  built = self.own project ps fromWheel ps.buildPythonPackage null own;

  # As with pip, two wheels may contain the same file: the first is used.
  environment = interpreter.buildEnv.override (
    {
      extraLibs = lib.attrValues fromWheel ++ lib.optional (own != null) built.application;
      ignoreCollisions = true;
    }
    // lib.optionalAttrs (project.external != null) { makeWrapperArgs = project.external.wrapperArgs; }
  );
in
{
  python = environment;
  # An image for `docker load < result`, with the closure of the environment in layers.
  packages.${if isLinux then "image" else null} = pkgs.dockerTools.buildLayeredImage {
    name = own.name or "wheel-env";
    contents = [ environment ];
    config.Cmd = [ "/bin/${own.main or "python3"}" ];
  };
  apps = lib.optionalAttrs (own != null) (built.apps environment);
  checks = lib.optionalAttrs (requirements != [ ]) {
    requirements = self.requirements project environment [ ] requirements;
  };
}
