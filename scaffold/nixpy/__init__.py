"""nixpy: Nix that makes the wheels of a Python project work on NixOS."""

__version__ = "0.1.0"
