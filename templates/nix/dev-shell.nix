# The development shell of a project.
# Takes the project, its Python, and what the style adds: packages, and shell text for the places named below.
# Returns a derivation for `nix develop`.
self: project: python:
{
  packages ? [ python ],
  libraries ? true, # whether to say which libraries this nixpkgs lacks
  owner ? "project's .venv", # what the next three are about; they run in the project's folder alone
  relink ? "",
  fill ? { }, # how .venv is filled: see manager.nix
  venvHook ? "",
  hook ? "",
  lastHook ? "", # behind the user's own
}:
let
  inherit (self) lib;
  inherit (project) external shell;
  manager = if project.manager == null then { } else self.manager project python fill project.manager;
  exports =
    quote: variables:
    lib.concatStrings (lib.mapAttrsToList (name: value: "export ${name}=${quote value}\n") variables);
  ours = relink + manager.hook or "" + venvHook;
in
self.pkgs.mkShell {
  packages = lib.unique (packages ++ manager.packages or [ ] ++ shell.packages or [ ]);
  nativeBuildInputs = external.build or [ ] ++ external.run or [ ];
  buildInputs = external.host or [ ] ++ shell.inputs or [ ];

  shellHook = ''
    # What Nix builds need and a virtual environment must not see.
    unset PYTHONPATH PYTHONHASHSEED DETERMINISTIC_BUILD SOURCE_DATE_EPOCH
    # A Python that uv downloads does not start on NixOS; the one of this shell does, whatever .python-version says.
    export UV_PYTHON_DOWNLOADS=never UV_PYTHON_PREFERENCE=only-system UV_PYTHON=${project.interpreter.pythonVersion}
  ''
  + lib.concatMapStrings (feature: feature.hook or "") project.features
  + exports lib.id (shell.programs or { })
  + exports lib.id (manager.variables or { })
  + exports lib.escapeShellArg (shell.variables or { })
  + lib.optionalString libraries ''
    if [ -e ${project.libraries}/missing ]; then
      echo "nixpy: this nixpkgs lacks libraries that the wheels need:" >&2
      cat ${project.libraries}/missing >&2
    fi
  ''
  + external.warnings or ""
  + lib.optionalString (ours != "") ''
    # What follows is for this ${owner}: nothing is done in the folder of another one.
    if grep -qs '"inputs": "${project.digest}"' ${project.lock}; then
      ${lib.replaceStrings [ "\n" ] [ "\n  " ] (lib.removeSuffix "\n" ours)}
    ${lib.optionalString (manager != { }) ''
      else
        echo "nixpy: this is not the project's folder, so no .venv is filled or active" >&2
    ''}fi
  ''
  + lib.optionalString (shell ? withoutLoader) (self."shell/withoutLoader" shell.withoutLoader)
  + hook
  + lib.optionalString (shell ? hook) (shell.hook + lib.optionalString (lastHook != "") "\n")
  + lastHook;
}
