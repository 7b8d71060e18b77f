# Tests of the examples on NixOS, in virtual machines: with nix-ld, without nix-ld, and with home-manager.
# Takes pkgs of x86_64-linux, for which the wheels are. Returns a derivation for each machine; each needs KVM to be built.
#
# A test does what the README of an example says: it copies the example, enters its shell with `nix develop`, which fills
# .venv, and runs its main.py. A machine has no network: its store contains nixpkgs, what each shell needs, and the wheels.
{
  pkgs,
  # nixpkgs as a flake input: the examples are evaluated with it in the machine.
  nixpkgs ? pkgs.path,
  home-manager ? pkgs.home-manager.src,
}:
let
  inherit (pkgs) lib;
  examples = ../../examples;

  # The wheels, by hash. A wheel is at the address that its file name says.
  wheel =
    line:
    let
      columns = lib.splitString "," line;
      filename = lib.elemAt columns 2;
      parts = lib.splitString "-" (lib.removeSuffix ".whl" filename);
    in
    {
      name = filename;
      path = pkgs.fetchPypi {
        format = "wheel";
        pname = lib.elemAt parts 0;
        version = lib.elemAt parts 1;
        dist = lib.elemAt parts 2;
        python = lib.elemAt parts 2;
        abi = lib.elemAt parts 3;
        platform = lib.elemAt parts 4;
        sha256 = lib.elemAt columns 3;
      };
    };
  wheelhouse = pkgs.linkFarm "nixpy-wheels" (
    lib.pipe ../nixos/box/wheels.csv [
      builtins.readFile
      (lib.splitString "\n")
      lib.tail
      (lib.filter (line: line != ""))
      (map wheel)
    ]
  );

  outputs = name: import (examples + "/${name}/nixpy.nix") { inherit pkgs; };

  # What a test runs in the shell of an example: imports, a library that is opened at run time, a program of a wheel.
  shells = {
    loader = {
      imports = [ "numpy" ];
      opens = "libstdc++.so.6";
    };
    wrapped-python = {
      imports = [
        "numpy"
        "pandas"
      ];
      opens = "libstdc++.so.6";
    };
    nix-ld = {
      imports = [
        "numpy"
        "psycopg2"
      ];
      opens = "libz.so.1";
      ruff = true;
      hostLoader = true;
    };
    nix-ld-interpreter = {
      imports = [ "grpc" ];
      opens = "libstdc++.so.6";
      hostLoader = true;
    };
    patched-venv = {
      imports = [ "numpy" ];
      opens = "libstdc++.so.6";
      ruff = true;
    };
    fhs = {
      imports = [
        "numpy"
        "cv2"
      ];
      opens = "libGL.so.1";
      enter = "nixpy-fhs";
    };
  };

  # Python statements of the test driver that enter the shell of an example and run it there.
  enter =
    name: shell:
    let
      inside = command: ''
        machine.succeed(develop(${builtins.toJSON name}, ${builtins.toJSON "${shell.enter or ""} ${command}"}))
      '';
      opened = lib.concatMapStrings (module: "import ${module}; ") shell.imports;
    in
    ''
      machine.succeed("cp -r --no-preserve=mode ${examples}/${name} /root/${name}")
    ''
    + inside "python -c '${opened}import ctypes; ctypes.CDLL(\"${shell.opens}\")'"
    + inside "python main.py"
    + lib.optionalString (shell.ruff or false) (inside "ruff check main.py");

  # A NixOS machine with what the shells of these examples need.
  machine = chosen: {
    environment.variables = {
      UV_FIND_LINKS = wheelhouse;
      UV_NO_INDEX = "1";
      UV_OFFLINE = "1";
    };
    nix.settings = {
      experimental-features = [
        "nix-command"
        "flakes"
      ];
      flake-registry = "";
      substituters = lib.mkForce [ ];
    };
    virtualisation = {
      # `inputDerivation` has everything in its closure that `nix develop` builds the environment from.
      additionalPaths = [
        wheelhouse
        "${nixpkgs}"
      ]
      ++ map (name: (outputs name).shell.inputDerivation) (lib.attrNames chosen);
      cores = 2;
      diskSize = 8192;
      memorySize = 4096;
      writableStore = true;
    };
  };

  start = ''
    def develop(name: str, command: str) -> str:
        options = "--offline --no-write-lock-file --override-input nixpkgs path:${nixpkgs}"
        return f"cd /root/{name} && nix develop {options} path:. -c {command}"

    machine.wait_for_unit("multi-user.target")
    # Without nixpy, numpy finds no library here.
    uv = "cd /root && ${lib.getExe pkgs.uv}"
    machine.succeed(f"{uv} venv --python ${lib.getExe pkgs.python313} plain && {uv} pip install --python plain numpy")
    machine.fail("/root/plain/bin/python -c 'import numpy'")
  '';

  test =
    name: node: chosen: more:
    pkgs.testers.runNixOSTest {
      name = "nixpy-${name}";
      nodes.machine = {
        imports = [
          (machine chosen)
          node
        ];
      };
      testScript = start + lib.concatStrings (lib.mapAttrsToList enter chosen) + more;
    };
in
{
  machine-with-nix-ld = test "with-nix-ld" { programs.nix-ld.enable = true; } shells "";

  machine-without-nix-ld =
    test "without-nix-ld" { } (lib.filterAttrs (_: shell: !(shell.hostLoader or false)) shells)
      ''
        machine.succeed(f"{uv} pip install --python plain ruff")
        machine.fail("/root/plain/bin/ruff --version")
      '';

  # The home module of style nix-ld gives the user's own shell the interpreter and the libraries.
  machine-with-home-manager =
    test "with-home-manager"
      {
        imports = [ "${home-manager}/nixos" ];
        programs.nix-ld.enable = true;
        users.users.alice.isNormalUser = true;
        home-manager.users.alice = {
          imports = [ (outputs "nix-ld").homeModule ];
          home.stateVersion = lib.trivial.release;
        };
        environment.systemPackages = [ pkgs.uv ];
      }
      { inherit (shells) nix-ld; }
      ''
        machine.wait_for_unit("home-manager-alice.service")
        as_alice = "su --login alice --command"
        machine.succeed(f"{as_alice} 'uv venv --python python3 own && uv pip install --python own numpy ruff'")
        machine.succeed(f"{as_alice} 'own/bin/python -c \"import numpy\"'")
        machine.succeed(f"{as_alice} 'own/bin/ruff --version'")
      '';
}
