{
  description = "A stub of flake-utils";

  outputs = _: {
    lib = rec {
      eachSystem =
        systems: function:
        builtins.foldl' (
          all: system:
          all
          // builtins.mapAttrs (name: value: (all.${name} or { }) // { ${system} = value; }) (function system)
        ) { } systems;
      eachDefaultSystem = eachSystem [
        "x86_64-linux"
        "aarch64-linux"
        "aarch64-darwin"
      ];
    };
  };
}
