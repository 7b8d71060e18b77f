# How buildPythonPackage builds a project from its source (nixpkgs: python/hooks/pypa-build-hook.sh,
# python-relax-deps-hook.sh, python-runtime-deps-check-hook.sh): by the build system that is among the inputs, whose
# versions are checked, and nothing is downloaded. The frontend is the pip that CPython brings along; nixpkgs' is `build`.
pyprojectBuildPhase() {
  runHook preBuild
  local pip check=--check-build-dependencies
  [[ ${pypaBuildFlags-} != *--skip-dependency-check* ]] || check=
  pip=$(echo @python@/lib/*/ensurepip/_bundled/pip-*.whl)
  HOME=$PWD @interpreter@ "$pip/pip" --isolated --disable-pip-version-check wheel -q --no-index --no-deps \
    --no-cache-dir --no-build-isolation $check --wheel-dir dist .
  PYTHONPATH=$PYTHONPATH:$pip @interpreter@ @dependencies@ dist/*.whl "${pythonRelaxDeps-}"
  runHook postBuild
}

: "${unpackPhase=unpackPhase}" "${buildPhase=pyprojectBuildPhase}"
