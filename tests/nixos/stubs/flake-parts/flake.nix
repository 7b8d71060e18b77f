{
  description = "A stub of flake-parts";

  outputs = _: {
    lib.mkFlake =
      { inputs }:
      module:
      let
        inherit (inputs.nixpkgs) lib;
        # A module and those that it imports, as attribute sets.
        flat =
          one:
          let
            read = if builtins.isPath one then import one else one;
            set = if builtins.isFunction read then read { inherit inputs lib; } else read;
          in
          [ set ] ++ lib.concatMap flat (set.imports or [ ]);
        modules = flat module;
        systems = lib.concatMap (one: one.systems or [ ]) modules;
        perSystem =
          system:
          let
            pkgs = inputs.nixpkgs.legacyPackages.${system};
            of = one: if builtins.isFunction one then one { inherit pkgs system lib; } else one;
          in
          lib.foldl' lib.recursiveUpdate { } (map (one: of (one.perSystem or { })) modules);
        made = lib.genAttrs systems perSystem;
        names = lib.unique (lib.concatMap (system: lib.attrNames made.${system}) systems);
      in
      lib.genAttrs names (name: lib.genAttrs systems (system: made.${system}.${name} or { }));
  };
}
