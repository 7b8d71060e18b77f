# `mkDerivation` and what stands around it. Everything evaluates to a real derivation on every system; what can also be
# built is said in ./debian.
{
  config,
  lib,
  system,
}:
let
  parts = lib.splitString "-" system;
  cpu = lib.head parts;
  isLinux = lib.last parts == "linux";
  isDarwin = lib.last parts == "darwin";
  hostPlatform = {
    inherit system isLinux isDarwin;
    isx86_64 = cpu == "x86_64";
    isAarch64 = cpu == "aarch64";
    isUnix = true;
    isGnu = isLinux;
    isMusl = false;
    is64bit = true;
    config = if isLinux then "${cpu}-unknown-linux-gnu" else "arm64-apple-darwin";
    extensions.sharedLibrary = if isLinux then ".so" else ".dylib";
    parsed.cpu.name = cpu;
  };

  # What meta marks, whether or not `config` allows it (pkgs/stdenv/generic/check-meta.nix).
  marksOf = meta: {
    unfree = lib.any (license: !(license.free or true)) (lib.toList (meta.license or [ ]));
    unsupported = !lib.elem system (meta.platforms or lib.platforms.all);
    insecure = meta.knownVulnerabilities or [ ] != [ ];
    broken = meta.broken or false;
  };

  # Why nixpkgs refuses to instantiate a package, in its order; its name and meta can be read.
  refusal =
    name: meta:
    let
      marks = marksOf meta;
    in
    if marks.unfree && !(config.allowUnfree or false) then
      "has an unfree license"
    else if marks.unsupported && !(config.allowUnsupportedSystem or false) then
      "is not available on the requested hostPlatform ${system}"
    else if marks.insecure && !lib.elem name (config.permittedInsecurePackages or [ ]) then
      "is marked as insecure"
    else if marks.broken && !(config.allowBroken or false) then
      "is marked as broken"
    else
      null;
  available =
    name: meta: value:
    lib.throwIf (
      refusal name meta != null
    ) "Refusing to evaluate package '${name}' because it ${refusal name meta}" value;

  describe =
    name: outputs: meta:
    {
      inherit name;
      outputsToInstall = [
        (lib.findFirst (output: lib.elem output outputs) null (
          [
            "bin"
            "out"
          ]
          ++ outputs
        ))
      ]
      ++ lib.intersectLists [ "man" ] outputs;
      available = refusal name meta == null;
    }
    // marksOf meta
    // meta;

  # A derivation with passthru and meta on it and on each of its outputs. An output taken by its name is marked so
  # that `lib.getOutput` leaves it alone.
  extend =
    drv: extra:
    let
      # A Python package that is disabled can be named, too (interpreters/python/mk-python-derivation.nix).
      guard =
        value:
        lib.throwIf (extra.disabled or false) "${drv.name} not supported for interpreter" (
          available drv.name extra.meta value
        );
      whole =
        drv
        // extra
        // lib.genAttrs drv.outputs (
          output:
          whole
          // {
            outputName = output;
            outputSpecified = true;
            outPath = guard drv.${output}.outPath;
          }
        )
        // {
          drvPath = guard drv.drvPath;
          outPath = guard drv.outPath;
        };
    in
    whole;

  inputs = [
    "buildInputs"
    "nativeBuildInputs"
    "propagatedBuildInputs"
    "propagatedNativeBuildInputs"
  ];
  checkInputs =
    name: list:
    lib.imap1 (
      i: input:
      if lib.isDerivation input then
        lib.getDev input
      else if input == null || lib.isString input || builtins.isPath input then
        input
      else if lib.isList input then
        checkInputs name input
      else
        throw "Dependency is not of a valid type: element ${toString i} of ${name}"
    ) list;

  makeDerivation =
    stdenv: attributes:
    let
      arguments = attributes (arguments // { finalPackage = package; });
      name = arguments.name or "${arguments.pname}-${arguments.version}";
      drv = derivation (
        {
          inherit name system;
          builder = stdenv.shell;
          args = [
            "-e"
            ./builder.sh
          ];
          stdenv = "${stdenv}";
          outputs = [ "out" ];
        }
        // arguments.env or { }
        // lib.removeAttrs arguments [
          "env"
          "meta"
          "passthru"
          "pos"
        ]
        // lib.genAttrs (lib.filter (input: arguments ? ${input}) inputs) (
          input: checkInputs "${input} for ${name}" arguments.${input}
        )
      );
      package = extend drv (
        lib.optionalAttrs (arguments ? version) { inherit (arguments) version; }
        // arguments.passthru or { }
        // {
          inherit name;
          passthru = arguments.passthru or { };
          meta = describe name drv.outputs (arguments.meta or { });
          # `previous: { … }`, `final: previous: { … }` and a plain set are all accepted.
          overrideAttrs =
            change:
            makeDerivation stdenv (
              final:
              let
                previous = attributes final;
                once = if lib.isFunction change then change previous else change;
              in
              previous // (if lib.isFunction once then change final previous else once)
            );
        }
      );
    in
    package;

  debian = import ./debian { inherit lib system; };

  toFunction = attributes: if lib.isFunction attributes then attributes else _: attributes;
in
rec {
  inherit debian;

  # A package whose content does not matter to evaluation; where it can be built it has one.
  package =
    {
      pname,
      version ? "1",
      outputs ? [ "out" ],
      meta ? { },
      passthru ? { },
      recipe ? { },
    }:
    extend
      (derivation (
        {
          inherit
            pname
            version
            outputs
            system
            ;
          name = "${pname}-${version}";
          builder = "/not-built";
        }
        // debian.recipe pname package glibc
        // recipe
      ))
      {
        inherit passthru;
        meta = describe "${pname}-${version}" outputs meta;
      }
    // passthru;

  bash = package {
    pname = "bash";
    meta.mainProgram = "bash";
  };
  glibc = package {
    pname = "glibc";
    outputs = [
      "out"
      "bin"
      "dev"
    ];
    meta.platforms = lib.platforms.linux;
  };

  # What every builder has on its PATH.
  initialPath = [
    bash
  ]
  ++ map (pname: package { inherit pname; }) [
    "coreutils"
    "findutils"
    "diffutils"
    "gnused"
    "gnugrep"
    "gawk"
    "gnutar"
    "gzip"
    "bzip2"
    "xz"
  ];

  stdenv =
    package {
      pname = "stdenv";
      recipe = {
        builder = "${bash}/bin/bash";
        args = [
          "-euc"
          ''
            text=$(<${./setup.sh})
            text=''${text//@bash@/$bash}
            $coreutils/bin/mkdir $out
            echo "''${text//@initialPath@/$initialPath}" >$out/setup
            exit 0
          ''
        ];
        inherit bash initialPath;
        coreutils = package { pname = "coreutils"; };
      };
      passthru = {
        mkDerivation = attributes: makeDerivation stdenv (toFunction attributes);
        inherit hostPlatform;
        buildPlatform = hostPlatform;
        targetPlatform = hostPlatform;
        shell = "${bash}/bin/bash";
        shellDryRun = "${bash}/bin/bash -n -O extglob";
        cc = package {
          pname = if isLinux then "gcc-wrapper" else "clang-wrapper";
          passthru = {
            isGNU = isLinux;
            isClang = isDarwin;
            libc = if isLinux then glibc else package { pname = "libSystem"; };
            cc = package {
              pname = if isLinux then "gcc" else "clang";
              outputs = [
                "out"
                "lib"
              ];
            };
            bintools = package {
              pname = "binutils-wrapper";
              passthru.dynamicLinker =
                {
                  x86_64-linux = "${glibc}/lib/ld-linux-x86-64.so.2";
                  aarch64-linux = "${glibc}/lib/ld-linux-aarch64.so.1";
                  aarch64-darwin = "/usr/lib/dyld";
                }
                .${system};
            };
          };
        };
      };
    };
}
