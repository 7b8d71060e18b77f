"""Supply dependencies that are not Python packages: `[external]` (PEP 725, PEP 804).

In: the `[external]` table, and the packages that have no wheel. Out: packages of nixpkgs for builds and shells.
Read `table.py` first, then `build_inputs.py`; `nix.mapping.json` maps names to attributes.
"""
