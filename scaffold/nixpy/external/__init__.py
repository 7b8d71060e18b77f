"""Supply dependencies in `[external]`, which are not Python packages.

Source: PEP 725 and PEP 804.

In: the `[external]` table, and the packages that have no wheel. Out: packages of nixpkgs for builds and shells.
Read `table.py` first, then `build_inputs.py`; `nix.mapping.json` maps names to attributes.
"""
