# Nix code of other projects, from the inputs of the flake.
# Takes the project and the name of an input. Returns the input; throws if it is missing, with what to do.
self: project: name:
self.inputs.${name} or (throw ''
  nixpy: style ${project.style} needs the flake input ${name}. Import this file with
  `{ inherit pkgs inputs; }`; `nixpy init` prints the lines for flake.nix'')
