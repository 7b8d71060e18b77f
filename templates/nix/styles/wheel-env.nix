# Style wheel-env: an environment of the locked wheels in the store, and of the project itself where it is packaged.
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

  # Wheels may bring the same file, as they may for pip: the first wins.
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
  # `docker load < result`: the environment and what it refers to, in layers.
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
