# How buildPythonPackage installs a wheel (nixpkgs: python/hooks/wheel-unpack-hook.sh, pypa-install-hook.sh,
# python-imports-check-hook.sh). The installer is the pip that CPython brings along.
wheelUnpackPhase() {
  local name=${src##*/}
  mkdir -p dist
  cp "$src" "dist/${name#*-}"
}

wheelInstallPhase() {
  runHook preInstall
  local pip
  pip=$(echo @python@/lib/*/ensurepip/_bundled/pip-*.whl)
  @interpreter@ -I "$pip/pip" --isolated --disable-pip-version-check install -q \
    --no-index --no-deps --no-cache-dir --no-compile --no-warn-script-location --root-user-action ignore \
    --prefix "$out" dist/*.whl
  rm -f "$out"/@sitePackages@/*.dist-info/direct_url.json # the name of the folder it was built in
  # In the store every file is of 1970, so bytecode must not depend on times.
  @interpreter@ -I -m compileall -q --invalidation-mode unchecked-hash "$out/@sitePackages@"
  runHook postInstall
}

pythonImportsCheckPhase() {
  local module
  cd "$out"
  for module in ${pythonImportsCheck-}; do
    PYTHONPATH=$out/@sitePackages@${PYTHONPATH:+:$PYTHONPATH} @interpreter@ -c "import $module"
  done
}

: "${unpackPhase=wheelUnpackPhase}" "${installPhase=wheelInstallPhase}"
preDistPhases="${preDistPhases-} pythonImportsCheckPhase"
