"""Who answers a soname: glibc, nixpkgs, a sibling wheel, the host's driver, or nobody."""
