# The development shell of a project.
# Takes the project, its Python, and additions of the style: packages, and shell text for the places named below.
# Returns a derivation for `nix develop`.
self: project: python:
{
  packages ? [ python ],
  libraries ? true, # whether to report libraries that this nixpkgs lacks
  owner ? "project's .venv", # what the next three change; they run only in the project's folder
  relink ? "",
  fill ? { }, # arguments for manager.nix
  venvHook ? "",
  hook ? "",
  lastHook ? "", # runs after the user's own shell text
}:
let
  inherit (self) lib;
  inherit (project) external shell;
  manager = if project.manager == null then { } else self.manager project python fill project.manager;
  exports =
    quote: variables:
    lib.concatStrings (lib.mapAttrsToList (name: value: "export ${name}=${quote value}\n") variables);
  ours = relink + manager.hook or "" + venvHook;
  belongs = lock: ''grep -qs '"inputs": "${project.digest}"' ${lock}'';
in
self.pkgs.mkShell {
  packages = lib.unique (packages ++ manager.packages or [ ] ++ shell.packages or [ ]);
  nativeBuildInputs = external.build or [ ] ++ external.run or [ ];
  buildInputs = external.host or [ ] ++ shell.inputs or [ ];

  shellHook = ''
    # A flake with several projects names the folder of each: the hook runs in that folder, where .venv is.
    if ! ${belongs project.lock} && ${belongs "\"\${NIXPY_FOLDER-.}\"/${project.lock}"}; then
      nixpy_start=$PWD
      cd "$NIXPY_FOLDER"
      export NIXPY_FOLDER=$PWD
    fi
    # nixpkgs sets these variables for builds; a virtual environment must not get them.
    unset PYTHONPATH PYTHONHASHSEED DETERMINISTIC_BUILD SOURCE_DATE_EPOCH
    # Let uv use the Python of this shell, even if .python-version names another. A Python that uv downloads does not
    # start on NixOS.
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
    # The following is for this ${owner}: it does nothing in the folder of another project.
    if ${belongs project.lock}; then
      ${lib.replaceStrings [ "\n" ] [ "\n  " ] (lib.removeSuffix "\n" ours)}
    ${lib.optionalString (manager != { }) ''
      else
        echo "nixpy: .venv is neither updated nor active, since this is not the project's folder" >&2
    ''}fi
  ''
  + lib.optionalString (shell ? withoutLoader) (self."shell/withoutLoader" shell.withoutLoader)
  + hook
  + lib.optionalString (shell ? hook) (shell.hook + "\n")
  + ''
    if [ -n "''${nixpy_start-}" ]; then
      cd "$nixpy_start"
      unset nixpy_start
    fi
  ''
  + lastHook;
}
