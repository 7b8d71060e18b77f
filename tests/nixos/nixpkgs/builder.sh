# What a stand-in derivation would run. Nothing is built yet: the tests evaluate.
echo "the stand-in nixpkgs builds nothing" >&2
exit 1
