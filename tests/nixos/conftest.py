"""The fixtures of this folder's tests."""

from nixos.fixtures import nix

__all__ = ["nix"]
