# The project by the build system that its pyproject.toml names; with an $editable root its modules are looked up there.
pip=$(echo "${interpreter%/bin/*}"/lib/*/ensurepip/_bundled/pip-*.whl)
options=(--isolated --disable-pip-version-check --no-index --no-deps --no-cache-dir)
"$interpreter" -I "$pip/pip" wheel -q "${options[@]}" --no-build-isolation -w "$TMPDIR/dist" .
"$interpreter" -I "$pip/pip" install -q "${options[@]}" --no-compile --no-warn-script-location --root-user-action ignore \
  --prefix "$out" "$TMPDIR"/dist/*.whl
rm -f "$out/$sitePackages"/*.dist-info/direct_url.json
if [ -n "$editable" ]; then
  [ ! -d src ] || editable=$editable/src
  find "$out/$sitePackages" -mindepth 1 -maxdepth 1 ! -name '*.dist-info' -exec rm -r {} +
  echo "import os, sys; sys.path.append(os.path.expandvars('$editable'))" >"$out/$sitePackages/editable.pth"
fi
