# The packages that this stand-in can really build, on x86_64-linux alone: Debian's own libraries and programs, moved
# into the store, CPython from source, and wheels. `../debs.csv` and `../wheels.csv` pin them; without nothing can be built.
#
# Builders run with the tools of the building machine (Nix's own sandbox is off), so all of it is built at set-up.
{ lib, system }:
let
  table =
    file:
    if system == "x86_64-linux" && builtins.pathExists file then
      map (lib.splitString ",") (
        lib.tail (lib.filter (line: line != "") (lib.splitString "\n" (builtins.readFile file)))
      )
    else
      [ ];
  rows = table ../debs.csv;

  # The set-up has put the file into the store; a fixed output that is there is not built.
  fixed =
    name: sha256:
    derivation {
      inherit name system;
      builder = "/run-make-setup";
      outputHashMode = "flat";
      outputHashAlgo = "sha256";
      outputHash = sha256;
    };
  pinned = row: fixed (lib.replaceStrings [ ":" "/" ] [ "-" "-" ] (lib.head row)) (lib.elemAt row 2);
  # The wheel of a project in the wheelhouse.
  wheel =
    name:
    let
      row = lib.findFirst (row: lib.head row == name) (throw "no wheel ${name}") (table ../wheels.csv);
    in
    fixed (lib.elemAt row 2) (lib.elemAt row 3);
  filesOf =
    pname: map pinned (lib.filter (row: lib.elem pname (lib.splitString " " (lib.elemAt row 3))) rows);

  # Whose libraries a package links to, besides glibc's and its own.
  needs = {
    bash = [ "ncurses" ];
    glib = [
      "libffi"
      "zlib"
    ];
    libGL = [ "libx11" ];
    libsm = [
      "libice"
      "libuuid"
    ];
    libx11 = [ "libxcb" ];
    libxcursor = [ "libx11" ];
    libxext = [ "libx11" ];
    openssl = [ "zlib" ];
    readline = [ "ncurses" ];
    sqlite = [ "zlib" ];
    tk = [
      "expat"
      "libx11"
      "libxext"
      "zlib"
    ];
  };
  pythonNeeds = [
    "bzip2"
    "expat"
    "libffi"
    "libuuid"
    "ncurses"
    "openssl"
    "readline"
    "sqlite"
    "xz"
    "zlib"
  ];
  # Some Debian packages have more programs than are wanted here.
  programs = {
    glibc = "getconf getent ldconfig";
    lndir = "lndir";
  };
  isLibc = [
    "glibc"
    "newer-glibc"
  ];

  script = file: [
    "-eu"
    file
  ];
  fromDebs =
    pname: package: glibc:
    {
      builder = "/bin/bash";
      args = script ./unpack.sh;
      relocate = ./relocate.sh;
      debs = filesOf pname;
      programs = programs.${pname} or "";
      share =
        {
          tk = "tcltk";
          xkeyboard-config = "X11/xkb";
        }
        .${pname} or "";
      needs = map (pname: package { inherit pname; }) (needs.${pname} or [ ]);
      glibc =
        if lib.elem pname isLibc then
          ""
        else if pname == "newer-ninja" then
          package { pname = "newer-glibc"; }
        else
          glibc;
    };
  # The program that stands at /lib64/ld-linux-x86-64.so.2.
  hostLoader = define: {
    builder = "/bin/bash";
    args = script ./host-loader.sh;
    source = ./host-loader.c;
    inherit define;
  };
in
{
  # The wheels of the wheelhouse, by the name of their project.
  wheels = lib.listToAttrs (
    map (
      row:
      lib.nameValuePair (lib.head row) {
        version = lib.elemAt row 1;
        src = wheel (lib.head row);
      }
    ) (table ../wheels.csv)
  );

  # The attributes with which the derivation of the plain package `pname` is built; none where it cannot be.
  recipe =
    name: package: glibc:
    let
      # `xorg.libX11` of older releases is today's `libx11`.
      pname = if lib.hasPrefix "xorg-" name then lib.toLower (lib.removePrefix "xorg-" name) else name;
    in
    if rows == [ ] then
      { }
    else if pname == "nix-ld" then
      hostLoader "NIX_LD"
    else if pname == "stub-ld" then
      hostLoader "STUB_LD"
    else if pname == "binary-wrapper" then
      {
        builder = "/bin/bash";
        args = script ./binary-wrapper.sh;
        source = ./binary-wrapper.c;
      }
    else if pname == "gcc-wrapper" then
      {
        builder = "/bin/bash";
        args = script ./gcc.sh;
        relocate = ./relocate.sh;
        bash = package { pname = "bash"; };
        inherit glibc;
      }
    else if pname == "zlib-dev" then
      {
        builder = "/bin/bash";
        args = script ./dev.sh;
        debs = map pinned (lib.filter (row: lib.head row == "zlib1g-dev") rows);
        library = package { pname = "zlib"; };
      }
    else if pname == "pkg-config" then
      # It knows no package.
      {
        builder = "/bin/bash";
        args = [
          "-euc"
          ''
            /bin/mkdir -p $out/bin
            printf '#!%s/bin/sh\nexit 1\n' "$bash" >$out/bin/pkg-config
            /bin/chmod +x $out/bin/pkg-config
            exit 0
          ''
        ];
        bash = package { pname = "bash"; };
      }
    else if (pname == "ruff" || pname == "uv") then
      {
        builder = "/bin/bash";
        args = script ./programs-of-wheel.sh;
        relocate = ./relocate.sh;
        wheel = wheel pname;
        inherit glibc;
      }
    else if filesOf pname != [ ] then
      fromDebs pname package glibc
    else
      { };

  # CPython of `pythonVersion`, compiled, which takes minutes: so it depends on nothing that a release or a change of
  # stdenv changes. null where it cannot be built. nixpkgs too builds from source; a Python of Debian's would hide a
  # missing zlib, which it has linked in.
  cpython =
    pythonVersion: package: glibc:
    let
      sources = lib.filter (row: lib.last row == "python${pythonVersion}") rows;
    in
    if sources == [ ] then
      null
    else
      package {
        pname = "python3";
        version = lib.elemAt (lib.head sources) 1;
        recipe = {
          builder = "/bin/bash";
          args = script ./cpython.sh;
          relocate = ./relocate.sh;
          src = pinned (lib.head sources);
          headers = filesOf "python-headers";
          executable = "python${pythonVersion}";
          needs = map (pname: package { inherit pname; }) pythonNeeds;
          inherit glibc;
        };
      };

  # Its module `_tkinter`, which nixpkgs keeps in the package `tkinter`.
  tkinter =
    pythonVersion: package: glibc: compiled:
    package {
      pname = "python3-tkinter";
      recipe = {
        builder = "/bin/bash";
        args = script ./tkinter.sh;
        relocate = ./relocate.sh;
        src = pinned (lib.findFirst (row: lib.last row == "python${pythonVersion}") null rows);
        headers = filesOf "tk-headers";
        executable = "python${pythonVersion}";
        tk = package { pname = "tk"; };
        inherit compiled glibc;
      };
    };

  # Its ensurepip, which takes seconds to build; an interpreter that is overridden has the same.
  ensurepip =
    pythonVersion: package: compiled:
    package {
      pname = "ensurepip";
      recipe = {
        builder = "/bin/bash";
        args = script ./ensurepip.sh;
        copy = ./copy_pip.py;
        executable = "python${pythonVersion}";
        inherit compiled;
      };
    };
}
