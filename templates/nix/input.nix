# Other projects' Nix code, which comes by the inputs of the flake.
# Takes the project and the name of an input. Returns the input; throws with what to write where it is missing.
self: project: name:
self.inputs.${name} or (throw ''
  nixpy: style ${project.style} needs the flake input ${name}, handed on by
  `{ inherit pkgs inputs; }` where this file is imported; `nixpy init` prints the lines'')
