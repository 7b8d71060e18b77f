# Warns of wheels whose programs need a loader that this host does not have.
# Takes the names of the wheels. Returns shell text.
self: wheels:
self.without-nix-ld [
  "programs of ${wheels} do not start here, as this host has no nix-ld;"
  "styles nix-ld, patched-venv and fhs do; feature nix-executables takes nixpkgs' own instead"
]
