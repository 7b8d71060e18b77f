# Changes the Python packages of an interpreter, after the overrides that it has already.
# Takes an overlay of its package set, and the interpreter. Returns the interpreter with the overlay.
self: overlay: interpreter:
let
  python = interpreter.override (previous: {
    self = python;
    packageOverrides = self.lib.composeExtensions (previous.packageOverrides or (_: _: { })) overlay;
  });
in
python
