# wrapPythonPrograms (nixpkgs: python/wrap.sh, wrap-python.nix): each Python script in $out/bin finds its package and what
# that propagates, whichever way it is started, and is wrapped. nixpkgs also steps over docstrings.

# The package DIR, once, with what it propagates.
_addToPythonPath() {
  local input
  case " $_seen " in *" $1 "*) return 0 ;; esac
  _seen="$_seen $1"
  [ ! -d "$1/@sitePackages@" ] || program_PYTHONPATH=${program_PYTHONPATH:+$program_PYTHONPATH:}$1/@sitePackages@
  [ ! -d "$1/bin" ] || program_PATH=$program_PATH:$1/bin
  [ -f "$1/nix-support/propagated-build-inputs" ] || return 0
  for input in $(<"$1/nix-support/propagated-build-inputs"); do _addToPythonPath "$input"; done
}

wrapPythonPrograms() {
  local script input line _seen=@python@
  program_PATH=@python@/bin program_PYTHONPATH=
  for input in $out ${pythonPath-}; do _addToPythonPath "$input"; done
  for script in "$out"/bin/*; do
    [ -f "$script" ] && [ ! -L "$script" ] && [ -x "$script" ] || continue
    IFS= read -r line <"$script" || true
    [[ $line =~ ^#!.*/(env\ +)?\.?python ]] || continue
    sed -i -E "1s|^#!.*/env +python[^ ]*|#!@interpreter@|" "$script"
    line="import site, sys; sys.argv[0] = '$script'; [site.addsitedir(d) for d in '$program_PYTHONPATH'.split(':')]"
    awk -v line="$line" '!done && !/^#|^ *$|__future__/ { print line; done = 1 } { print }' "$script" >script
    cat script >"$script"
    rm script
    wrapProgram "$script" --prefix PATH : "$program_PATH" --set PYTHONNOUSERSITE true ${makeWrapperArgs-}
  done
}
