# Facts for each style: the fewest that it needs, and all that it takes.
# Takes a nixpkgs. Returns { STYLE = { minimal, full }; }, each without the facts of every style, and `common` with those.
# Where facts exclude each other, a third set has those that `full` lacks.
{ pkgs }:
let
  inherit (pkgs) lib;

  wheels = {
    minimal.lock = ./minimal/nixpy.lock;
    full = {
      lock = ./full/nixpy.lock;
      addresses = ./full/uv.lock;
      missing = [ "libcuda.so.1" ];
      opened = true;
    };
  };
  overrides = {
    links = {
      alpha = "libz.so.1 libstdc++.so.6";
      delta = "";
    };
    siblings.alpha = "delta";
    opens.alpha = [
      "libraries"
      "driver"
    ];
    missing = [ "libcuda.so.1" ];
  };
  own = {
    minimal = {
      name = "demo";
      version = "1.0";
      source = ./minimal;
    };
    full = {
      name = "demo";
      version = "1.0";
      source = ./full;
      file = "generated.nix";
      description = "A demonstration";
      homepage = "https://index.example";
      build-system = [ "hatchling" ];
      requires = [
        "alpha"
        "weasyprint"
      ];
      scripts = [
        "demo"
        "other"
      ];
      main = "demo";
      modules = [ "demo" ];
      variables = [ "SETUPTOOLS_SCM_PRETEND_VERSION" ];
      relax = [ "weasyprint" ];
      relax-build = true;
    };
  };
  requirements = [
    "alpha>=1"
    "weasyprint"
  ];
  python-set = {
    minimal = {
      wheels = wheels.minimal;
      packages.weasyprint = "weasyprint";
    };
    full = {
      wheels = wheels.full;
      packages = {
        alpha = "alpha or null";
        weasyprint = "weasyprint";
      };
      others.requests = "nowhere or setuptools";
      versions = "locked";
      inherit requirements;
    };
  };
  none = {
    minimal = { };
    full = { };
  };
in
{
  common = {
    minimal = {
      interpreter = pkgs.python313;
      digest = "0000";
    };
    full = {
      interpreter = pkgs.python313;
      digest = "1111";
      allow-marked = [ "nowhere or weasyprint" ];
      lock = "nix/nixpy.lock";
      venv = "../.venv";
      driver = true;
      sonames = {
        "libstdc++.so.6" = pkgs.stdenv.cc.cc.lib;
        "libz.so.1" = pkgs.zlib;
      };
      features = [
        "cuda"
        "find-library"
        "gobject"
        "optimized"
        "playwright"
        "qt"
        "tkinter"
      ];
      external = {
        build = [ pkgs.cmake ];
        host = [ pkgs.zlib ];
        run = [ pkgs.ffmpeg ];
        opened = [ "libz.so.1" ];
        versions = {
          "dep:generic/zlib@>=1.2" = {
            package = pkgs.zlib;
            attribute = "zlib";
            holds = version: lib.versionAtLeast version "1.2";
          };
          "dep:generic/zlib@>=99" = {
            package = pkgs.zlib;
            attribute = "zlib";
            holds = version: lib.versionAtLeast version "99";
          };
        };
      };
      manager = {
        name = "uv";
        package = pkgs.uv;
        variables.UV_OFFLINE = "1";
        create = "uv venv .venv";
        copies = true;
        install = "uv sync --frozen";
        constraints = ./full/nixpy.lock;
        files = [
          "uv.lock"
          "pyproject.toml"
        ];
      };
      shell = {
        packages = [ pkgs.ninja ];
        inputs = [ pkgs.glib ];
        native = [ pkgs.ruff ];
        programs.RUFF = lib.getExe' pkgs.ruff "ruff";
        variables.GREETING = "it's \${HOME}";
        withoutLoader = "ruff and uv";
        hook = "echo hello";
      };
    };
  };

  conda = none;
  fhs = none;
  loader = none;
  micromamba = none;
  nix-ld = none;
  nix-ld-interpreter = none;
  overridden-python = none;
  wrapped-python = none;
  patched-venv = {
    minimal = { };
    full = {
      hostSonames = [ "libcuda.so.1" ];
      openedSonames = [ "libz.so.1" ];
    };
  };
  with-packages = python-set;
  wheel-env = {
    minimal.wheels = wheels.minimal;
    full = {
      wheels = wheels.full;
      own = own.full;
      inherit requirements;
    };
  };
  application = {
    minimal = python-set.minimal // {
      own = own.minimal;
    };
    full = python-set.full // {
      own = own.full;
    };
  };
  pyproject-nix = {
    minimal.source = ./minimal;
    full = {
      source = ./full;
      extras = [ "pictures" ];
      groups = [ "dev" ];
      aliases.brotli = "nowhere or brotlicffi";
      unmapped = [ "packaging" ];
      version = "1.0";
    };
    # Requirements files have no extras and groups.
    listed = {
      source = ./full;
      requirements-files = [
        ./full/requirements.txt
        ./full/more-requirements.txt
      ];
      aliases.brotli = "brotlicffi";
    };
  };
  poetry2nix = {
    minimal.source = ./minimal;
    full = {
      source = ./full;
      extras = [ "pictures" ];
      groups = [
        "dev"
        "main"
      ];
      inherit overrides;
    };
  };
  uv2nix = {
    minimal.source = ./minimal;
    full = {
      source = ./full;
      extras = [ "pictures" ];
      groups = [ "dev" ];
      members = [ "demo" ];
      sdists.sourceonly = [ "setuptools" ];
      inherit overrides;
    };
  };
}
