# Warns about wheels with programs that need a loader which this host does not have.
# Takes the names of the wheels. Returns shell text.
self: wheels:
self.without-nix-ld [
  "programs in ${wheels} do not start on this host, since it has no nix-ld;"
  "use style nix-ld, patched-venv or fhs, or replace them by programs of nixpkgs with feature nix-executables"
]
