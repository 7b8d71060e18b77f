"""What a project needs that no index of Python packages has: `[external]` (PEP 725) in nixpkgs' words (PEP 804)."""
