# nixpkgs' small builders, by the rules that a flake can observe: which names they need, what they pass on, what stands
# in `meta` and `passthru`. The tests in ../test_standin.py state each rule.
{
  lib,
  stdenv,
  package,
  initialPath,
}:
let
  tool =
    pname:
    package {
      inherit pname;
      meta.mainProgram = pname;
    };
  coreutils = tool "coreutils";
  bubblewrap = package {
    pname = "bubblewrap";
    meta.platforms = lib.platforms.linux;
  };
  lndir = "${package { pname = "lndir"; }}/bin/lndir";
  wrapperProgram = package { pname = "binary-wrapper"; };
  runtimeShell = stdenv.shell;
in
rec {
  inherit
    bubblewrap
    coreutils
    runtimeShell
    tool
    ;

  runCommandWith =
    {
      name,
      runLocal ? false,
      derivationArgs ? { },
    }:
    buildCommand:
    stdenv.mkDerivation (
      {
        inherit name buildCommand;
        passAsFile = [ "buildCommand" ] ++ derivationArgs.passAsFile or [ ];
      }
      // lib.optionalAttrs runLocal {
        preferLocalBuild = true;
        allowSubstitutes = false;
      }
      // lib.removeAttrs derivationArgs [ "passAsFile" ]
    );
  runCommand =
    name: derivationArgs:
    runCommandWith { inherit name derivationArgs; };
  runCommandLocal =
    name: derivationArgs:
    runCommandWith {
      inherit name derivationArgs;
      runLocal = true;
    };
  runCommandCC = runCommand;

  writeTextFile =
    {
      name,
      text,
      executable ? false,
      destination ? "",
      checkPhase ? "",
      meta ? { },
      passthru ? { },
      ...
    }:
    let
      program = builtins.match "/bin/([^/]+)" destination;
    in
    assert lib.assertMsg (destination == "" || lib.hasPrefix "/" destination)
      "destination must be an absolute path, relative to the derivation's out path, got '${destination}'";
    runCommandLocal name
      {
        inherit
          text
          executable
          checkPhase
          passthru
          ;
        passAsFile = [ "text" ];
        meta =
          lib.optionalAttrs (executable && program != null) { mainProgram = lib.head program; } // meta;
      }
      ''
        target=$out${lib.escapeShellArg destination}
        mkdir -p "$(dirname "$target")"
        cp "$textPath" "$target"
        if [ -n "$executable" ]; then chmod +x "$target"; fi
        eval "$checkPhase"
      '';
  writeText =
    name: text:
    lib.warnIf (!lib.isString text) "pkgs.writeText ${name}: the second argument should be a string"
      writeTextFile
      { inherit name text; };
  writeTextDir =
    path: text:
    writeTextFile {
      inherit text;
      name = baseNameOf path;
      destination = "/${path}";
    };
  writeScript =
    name: text:
    writeTextFile {
      inherit name text;
      executable = true;
    };
  writeScriptBin =
    name: text:
    writeTextFile {
      inherit name text;
      executable = true;
      destination = "/bin/${name}";
    };
  writeShellScript =
    name: text:
    writeTextFile {
      inherit name;
      executable = true;
      text = "#!${runtimeShell}\n${text}\n";
      checkPhase = ''${stdenv.shellDryRun} "$target"'';
    };
  writeShellScriptBin =
    name: text:
    writeTextFile {
      inherit name;
      executable = true;
      destination = "/bin/${name}";
      text = "#!${runtimeShell}\n${text}\n";
      checkPhase = ''${stdenv.shellDryRun} "$target"'';
    };
  # nixpkgs also runs shellcheck over the text when it builds.
  writeShellApplication =
    {
      name,
      text,
      runtimeInputs ? [ ],
      runtimeEnv ? { },
      meta ? { },
      passthru ? { },
      checkPhase ? ''${stdenv.shellDryRun} "$target"'',
      excludeShellChecks ? [ ],
      extraShellCheckFlags ? [ ],
      bashOptions ? [
        "errexit"
        "nounset"
        "pipefail"
      ],
      inheritPath ? true,
      derivationArgs ? { },
    }:
    writeTextFile {
      inherit
        name
        meta
        passthru
        checkPhase
        ;
      executable = true;
      destination = "/bin/${name}";
      text = lib.concatLines (
        [ "#!${runtimeShell}" ]
        ++ map (option: "set -o ${option}") bashOptions
        ++ lib.mapAttrsToList (variable: value: "export ${lib.toShellVar variable value}") runtimeEnv
        ++ lib.optional (
          runtimeInputs != [ ]
        ) ''export PATH="${lib.makeBinPath runtimeInputs}${lib.optionalString inheritPath ":$PATH"}"''
        ++ [ text ]
      );
    };

  symlinkJoin =
    {
      paths,
      postBuild ? "",
      name ?
        assert lib.assertMsg (
          arguments ? pname && arguments ? version
        ) "symlinkJoin requires either a `name` OR `pname` and `version`";
        "${arguments.pname}-${arguments.version}",
      ...
    }@arguments:
    runCommandLocal name
      (
        lib.removeAttrs arguments [
          "name"
          "postBuild"
        ]
        // {
          paths = map (path: if path == null then null else "${path}") (lib.flatten paths);
        }
      )
      ''
        mkdir -p $out
        for path in $paths; do ${lndir} -silent $path $out; done
        ${postBuild}
      '';

  # Unlike symlinkJoin, the set of arguments is closed, and postBuild stays an attribute of the result. Of a package it
  # takes the outputs in meta.outputsToInstall, or the one that was chosen, and those asked for.
  buildEnv =
    {
      paths,
      name ? "${pname}-${version}",
      pname ? throw "buildEnv requires either a `name` or `pname` and `version`",
      version ? throw "buildEnv requires either a `name` or `pname` and `version`",
      manifest ? "",
      ignoreCollisions ? false,
      checkCollisionContents ? true,
      pathsToLink ? [ "/" ],
      extraOutputsToInstall ? [ ],
      extraPrefix ? "",
      postBuild ? "",
      nativeBuildInputs ? [ ],
      buildInputs ? [ ],
      passthru ? { },
      meta ? { },
    }:
    let
      outputsOf =
        path:
        (
          if path.outputSpecified or false || path.meta.outputsToInstall or null == null then
            [ path ]
          else
            map (output: path.${output}) path.meta.outputsToInstall
        )
        ++ lib.concatMap (output: lib.optional (path ? ${output}) path.${output}) extraOutputsToInstall;
    in
    runCommandLocal name {
      inherit
        buildInputs
        checkCollisionContents
        extraPrefix
        ignoreCollisions
        manifest
        meta
        nativeBuildInputs
        pathsToLink
        postBuild
        ;
      passthru = passthru // {
        inherit paths;
      };
      paths = lib.unique (map toString (lib.concatMap outputsOf paths));
    } "source ${./build-env.sh}";

  linkFarm =
    name: entries:
    let
      links =
        if lib.isAttrs entries then
          entries
        else
          lib.listToAttrs (map (entry: lib.nameValuePair entry.name entry.path) entries);
    in
    runCommandLocal name { passthru.entries = links; } (
      "mkdir -p $out && cd $out\n"
      + lib.concatLines (
        lib.mapAttrsToList (
          link: target:
          ''mkdir -p "$(dirname ${lib.escapeShellArg link})" && ln -s ${lib.escapeShellArg "${target}"} ${lib.escapeShellArg link}''
        ) links
      )
    );

  # Inputs of `inputsFrom` are merged behind one's own, but for those that are in `inputsFrom` themselves; shell hooks
  # run from the last of `inputsFrom` to the first and then one's own; no other attribute is passed on.
  mkShell =
    {
      name ? "nix-shell",
      packages ? [ ],
      inputsFrom ? [ ],
      ...
    }@arguments:
    let
      # One's own inputs come first, then those of the shells one builds on, which are none themselves.
      others = list: lib.concatMap (shell: lib.flatten (shell.${list} or [ ])) inputsFrom;
      all =
        list: arguments.${list} or [ ] ++ lib.filter (input: !(lib.elem input inputsFrom)) (others list);
      # The hook of the last of them runs first, one's own at the end.
      hooks = map (shell: shell.shellHook or null) (lib.reverseList inputsFrom ++ [ arguments ]);
    in
    stdenv.mkDerivation (
      lib.removeAttrs arguments [
        "inputsFrom"
        "packages"
      ]
      // {
        inherit name;
        buildInputs = all "buildInputs";
        nativeBuildInputs = packages ++ all "nativeBuildInputs";
        propagatedBuildInputs = all "propagatedBuildInputs";
        propagatedNativeBuildInputs = all "propagatedNativeBuildInputs";
        shellHook = lib.concatStringsSep "\n" (lib.filter (text: text != null) hooks);
        phases = [ "buildPhase" ];
        buildPhase = "export >$out";
        preferLocalBuild = true;
      }
    );
  mkShellNoCC = mkShell;

  makeSetupHook =
    {
      name,
      propagatedBuildInputs ? [ ],
      substitutions ? { },
      passthru ? { },
      meta ? { },
    }:
    script:
    runCommand name
      (
        substitutions
        // {
          inherit
            meta
            passthru
            propagatedBuildInputs
            ;
        }
      )
      ''
        mkdir -p $out/nix-support
        cp ${script} $out/nix-support/setup-hook
        ${lib.concatMapStrings (
          name: "sed -i \"s|@${name}@|\${${name}}|g\" $out/nix-support/setup-hook\n"
        ) (lib.attrNames substitutions)}
        if [ -n "$propagatedBuildInputs" ]; then
          echo $propagatedBuildInputs >$out/nix-support/propagated-build-inputs
        fi
      '';
  # A hook that evaluates and does nothing.
  hook =
    name: meta:
    makeSetupHook { inherit name meta; } (builtins.toFile "${name}.sh" "");
  makeShellWrapper = makeSetupHook {
    name = "make-shell-wrapper-hook";
    substitutions.shell = runtimeShell;
  } ./hooks/make-shell-wrapper.sh;
  makeWrapper = makeShellWrapper;
  makeBinaryWrapper = makeSetupHook {
    name = "make-binary-wrapper-hook";
    substitutions.wrapper = wrapperProgram;
  } ./hooks/make-binary-wrapper.sh;
  # nixpkgs' hook calls a program in Python. Its rules for a file's kind (other processors, debug objects) are left out.
  autoPatchelfHook = makeSetupHook {
    name = "auto-patchelf-hook";
    substitutions = {
      loader = stdenv.cc.bintools.dynamicLinker;
      # By its path: as an input it would be looked into, and Debian's has a libstdc++ with it.
      patchelf = lib.getExe (tool "patchelf");
    };
    meta.platforms = lib.platforms.linux;
  } ./hooks/auto-patchelf.sh;
  addDriverRunpath = hook "add-driver-runpath" { } // {
    driverLink = "/run/opengl-driver";
  };

  # The set of arguments is closed (pkgs/build-support/docker). All of it is one layer here: the contents as links at the
  # top, and every path of the store that they refer to.
  dockerTools.buildLayeredImage =
    {
      name,
      tag ? null,
      contents ? [ ],
      config ? { },
      maxLayers ? 100,
    }:
    let
      top = symlinkJoin {
        name = "contents";
        paths = contents;
      };
    in
    runCommand "${baseNameOf name}.tar.gz"
      {
        inherit top;
        exportReferencesGraph = [
          "closure"
          top
        ];
        image = builtins.toJSON {
          architecture = "amd64";
          os = "linux";
          inherit config;
        };
        manifest = builtins.toJSON [
          {
            Config = "image.json";
            RepoTags = [ "${name}:${if tag == null then "latest" else tag}" ];
            Layers = [ "layer.tar" ];
          }
        ];
      }
      ''
        mkdir -p layer/nix/store
        grep ^/nix/store/ closure | grep -v '[.]drv$' | sort -u | xargs -I{} cp -a {} layer/nix/store/
        cp -a "$top/." layer/
        tar -cf layer.tar -C layer .
        printf %s "$image" >image.json
        printf %s "$manifest" >manifest.json
        tar -czf "$out" manifest.json image.json layer.tar
      '';

  # It needs a name, or a pname and a version; `.env` is for `nix develop` and cannot be built; Linux only.
  buildFHSEnv =
    pkgs:
    {
      pname ? throw "buildFHSEnv: a name is missing",
      version ? throw "buildFHSEnv: a version is missing",
      name ? "${pname}-${version}",
      runScript ? "bash",
      targetPkgs ? _: [ ],
      multiPkgs ? _: [ ],
      profile ? "",
      extraBuildCommands ? "",
      extraOutputsToInstall ? [ ],
      nativeBuildInputs ? [ ],
      extraInstallCommands ? "",
      extraPreBwrapCmds ? "",
      extraBwrapArgs ? [ ],
      executableName ? arguments.pname or name,
      meta ? { },
      passthru ? { },
      ...
    }@arguments:
    let
      # What every root has besides the packages asked for (nixpkgs: basePkgs).
      base = [
        pkgs.glibc
        pkgs.stdenv.cc.cc.lib
      ]
      ++ initialPath;
      fhsenv = buildEnv {
        name = "${name}-fhs";
        paths = map lib.getLib (
          targetPkgs pkgs ++ (if multiPkgs == null then [ ] else multiPkgs pkgs) ++ base
        );
        inherit extraOutputsToInstall;
        ignoreCollisions = true;
        postBuild = extraBuildCommands;
      };
      etcProfile = writeText "${name}-profile" ''
        export PATH=/run/wrappers/bin:/usr/bin:/usr/sbin:$PATH
        # A compiler in the root looks there, not where the shell around it has its inputs.
        export NIX_CFLAGS_COMPILE='-idirafter /usr/include' NIX_LDFLAGS=-L/usr/lib
        ${profile}
      '';
      # The first program in the root: makes the loader's cache of what the root has, then the profile, then the command.
      init = writeShellScript "${name}-init" ''
        printf '%s\n' /lib /lib64 /usr/lib /usr/lib64 /run/opengl-driver/lib >/etc/ld.so.conf
        ${pkgs.glibc}/bin/ldconfig -X -f /etc/ld.so.conf -C /etc/ld.so.cache 2>/dev/null
        source /etc/profile
        exec ${runScript} "$@"
      '';
      enter = writeShellScript "${name}-bwrap" ''
        ${extraPreBwrapCmds}
        binds=()
        for folder in /*; do
          case $folder in
            /bin | /dev | /etc | /lib | /lib64 | /nix | /proc | /sbin | /usr) ;;
            *) if [ -d "$folder" ] && [ ! -L "$folder" ]; then binds+=(--bind "$folder" "$folder"); fi ;;
          esac
        done
        for file in /etc/*; do
          case $file in
            /etc/ld.so.* | /etc/profile) ;;
            *) binds+=(--symlink "/.host-etc/''${file#/etc/}" "$file") ;;
          esac
        done
        exec ${bubblewrap}/bin/bwrap \
          --dev-bind /dev /dev --proc /proc --bind /nix /nix \
          --ro-bind /etc /.host-etc --tmpfs /etc --symlink ${etcProfile} /etc/profile \
          --ro-bind ${fhsenv} /usr \
          --symlink usr/bin /bin --symlink usr/bin /sbin --symlink usr/lib /lib --symlink usr/lib /lib64 \
          "''${binds[@]}" --chdir "$PWD" --die-with-parent ${lib.concatStringsSep " " extraBwrapArgs} \
          ${init} "$@"
      '';
    in
    runCommandLocal name
      {
        inherit nativeBuildInputs;
        meta = {
          mainProgram = executableName;
          platforms = lib.platforms.linux;
        }
        // meta;
        passthru = passthru // {
          inherit fhsenv;
          args = arguments;
          env = runCommandLocal "${name}-shell-env" { shellHook = "exec ${enter}"; } ''
            echo "an env is for nix-shell, not for building" >&2
            exit 1
          '';
        };
      }
      ''
        mkdir -p $out/bin
        ln -s ${enter} $out/bin/${executableName}
        ${extraInstallCommands}
      '';

  # A file by its hash; its content is not looked at here.
  fetchurl =
    {
      url ? lib.head urls,
      urls ? [ url ],
      hash ? "",
      sha256 ? "",
      name ? baseNameOf url,
      meta ? { },
      passthru ? { },
    }:
    stdenv.mkDerivation {
      inherit
        name
        meta
        passthru
        urls
        ;
      outputHashMode = "flat";
      outputHashAlgo = if hash != "" then null else "sha256";
      outputHash =
        if hash != "" then
          hash
        else if sha256 != "" then
          sha256
        else
          throw "fetchurl requires a hash for ${name}";
    };
}
