# An overlay, as text for a message.
# Takes an attribute path and the text of a package. Returns an overlay that sets this attribute and keeps all others.
self: attribute: package:
let
  inherit (self) lib;
  put =
    set: path:
    let
      name = lib.head path;
      below = lib.tail path;
      kept = "${set}.${name} or { } // ${put "${set}.${name}" below}";
    in
    "{ ${name} = ${if below == [ ] then package else kept}; }";
in
"(final: previous: ${put "previous" (lib.splitString "." attribute)})"
