# A stand-in for nixpkgs: `import <nixpkgs> { }`. Which release it stands for is said by the file `release` beside this
# one, which the tests write (see ../realnix.py), with the two tables of attributes. All of it can be evaluated; what
# ./debian has can also be built.
{
  system ? builtins.currentSystem,
  config ? { },
  overlays ? [ ],
  ...
}:
let
  release = builtins.replaceStrings [ "\n" ] [ "" ] (builtins.readFile ./release);
  number = if release == "unstable" then "26.11" else release;
  lib = import ./lib.nix // {
    trivial.release = number;
    version = number;
  };
  inherit (import ./stdenv.nix { inherit config lib system; })
    bash
    debian
    glibc
    initialPath
    package
    stdenv
    ;
  inherit (stdenv.hostPlatform) isDarwin isLinux;

  since = first: lib.versionAtLeast number first;
  # `has` until a release, a warning in it, an error later on: the way nixpkgs lets go of a name.
  aging =
    name: value:
    {
      warns ? null,
      throws ? null,
    }:
    if throws != null && since throws then
      throw "${name} has been removed from nixpkgs"
    else
      lib.warnIf (warns != null && since warns) "${name} is deprecated" value;

  attributes = file: package: import ./attributes.nix { inherit lib release package; } file;

  # Packages that nixpkgs evaluates on Linux alone.
  linuxOnly = [
    "alsa-lib"
    "kmod"
    "libdrm"
    "libgbm"
    "libselinux"
    "nix-ld"
    "systemd"
    "systemdLibs"
    "udev"
  ];
  plain = attributes ./attributes.csv (
    {
      pname,
      outputs,
      meta ? { },
    }:
    package {
      inherit pname outputs;
      meta = {
        mainProgram = pname;
      }
      // meta
      // lib.optionalAttrs (lib.elem pname linuxOnly) { platforms = lib.platforms.linux; };
    }
  );

  builders = import ./builders.nix {
    inherit
      lib
      stdenv
      package
      initialPath
      ;
  };

  base =
    pkgs:
    plain
    // lib.optionalAttrs isDarwin { libGL = null; }
    # Its headers are a package of their own here, and its version can be asked for.
    // lib.optionalAttrs (plain ? zlib) {
      zlib = plain.zlib // {
        name = "zlib-1.2.13";
        version = "1.2.13";
        dev = package { pname = "zlib-dev"; };
      };
    }
    // lib.removeAttrs builders [
      "hook"
      "tool"
    ]
    // import ./python.nix {
      inherit
        lib
        pkgs
        release
        attributes
        debian
        package
        ;
      packagesTable = ./python-attributes.csv;
    }
    // {
      inherit
        bash
        config
        glibc
        lib
        pkgs
        stdenv
        ;
      path = ./.;
      # Not in nixpkgs: what stands in /run/current-system/sw of the box, and at its /lib64/ld-linux-x86-64.so.2.
      boxSystemPath = builders.symlinkJoin {
        name = "system-path";
        paths = initialPath ++ [
          (builders.tool "bubblewrap")
          (builders.tool "direnv")
        ];
      };
      boxStubLoader = package { pname = "stub-ld"; };
      # A program of another nixpkgs: with a newer glibc and libstdc++, of Debian 13.
      boxNewerProgram = package { pname = "newer-ninja"; };
      stdenvNoCC = stdenv;
      bashInteractive = bash;
      callPackage = lib.callPackageWith pkgs;
      # nixpkgs makes each attribute of the result overridable.
      callPackages = lib.callPackageWith pkgs;
      extend =
        overlay:
        import ./. {
          inherit system config;
          overlays = overlays ++ [ overlay ];
        };
      # The interpreter is an argument of it (pkgs/by-name/po/poetry/package.nix).
      poetry = lib.makeOverridable (
        { python3 }:
        package {
          pname = "poetry";
          meta.mainProgram = "poetry";
          recipe = { inherit python3; };
          passthru = { inherit python3; };
        }
      ) { inherit (pkgs) python3; };
      # A root like buildFHSEnv's, whose profile knows where conda was installed (tools/package-management/conda).
      conda = lib.makeOverridable (
        {
          installationPath ? "~/.conda",
          extraPkgs ? [ ],
        }:
        builders.buildFHSEnv pkgs {
          name = "conda-shell";
          targetPkgs = _: extraPkgs;
          profile = ''
            export PATH=${installationPath}/bin:$PATH
            if [ ! -f ${installationPath}/etc/profile.d/conda.sh ]; then conda-install; fi
            source ${installationPath}/etc/profile.d/conda.sh
          '';
          runScript = "bash -l";
        }
      ) { };
      buildFHSEnv = lib.makeOverridable (builders.buildFHSEnv pkgs);
      # It runs virtual machines; the machines are not evaluated here (pkgs/build-support/testers).
      testers.runNixOSTest =
        { name, testScript, ... }: builders.runCommand "vm-test-run-${name}" { inherit testScript; } "touch $out";
      # Its address is made of these arguments and no others (pkgs/build-support/fetchpypi).
      fetchPypi =
        {
          hash ? "",
          sha256 ? "",
          format ? "setuptools",
          ...
        }@given:
        let
          source =
            {
              pname,
              version,
              extension ? "tar.gz",
            }:
            "${pname}-${version}.${extension}";
          wheel =
            {
              pname,
              version,
              dist ? "py2.py3",
              python ? "py2.py3",
              abi ? "none",
              platform ? "any",
            }:
            "${dist}/${pname}-${version}-${python}-${abi}-${platform}.whl";
          file = if format == "wheel" then wheel else source;
          asked = lib.removeAttrs given [
            "format"
            "hash"
            "sha256"
          ];
        in
        builders.fetchurl {
          inherit hash sha256;
          url = "mirror://index/${file asked}";
        };
      # For Python packages (pkgs/build-support/rust). No crate is fetched here, so that it is evaluated alone; that it
      # was in 24.11 could not be substantiated.
      rustPlatform = {
        cargoSetupHook = builders.hook "cargo-setup-hook.sh" { };
        maturinBuildHook = builders.hook "maturin-build-hook.sh" { };
      }
      // lib.optionalAttrs (since "25.05") {
        fetchCargoVendor =
          {
            pname,
            version,
            src,
            hash,
            cargoRoot ? "",
          }:
          stdenv.mkDerivation {
            name = "${pname}-${version}-vendor";
            inherit src cargoRoot;
            outputHash = hash;
            outputHashMode = "recursive";
          };
      };
      system = aging "system" system { warns = "26.05"; };
      hostPlatform = aging "hostPlatform" stdenv.hostPlatform {
        warns = "26.05";
        throws = "26.11";
      };
      buildPlatform = aging "buildPlatform" stdenv.hostPlatform {
        warns = "26.05";
        throws = "26.11";
      };
      buildFHSUserEnv = aging "buildFHSUserEnv" (builders.buildFHSEnv pkgs) {
        warns = "24.11";
        throws = "25.11";
      };
    };
in
lib.fix (lib.foldl' (lib.flip lib.extends) base overlays)
