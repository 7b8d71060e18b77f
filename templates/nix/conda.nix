# The first script in the root of a style with conda packages.
# Takes the project and shell text of the manager: `start` sets it up; `fromYml`, `fromTxt` and `bare` fill "$prefix".
# Returns a derivation: a script that creates the environment, updates it when its files change, and activates it.
self: project:
{
  start ? "",
  fromYml,
  fromTxt,
  bare,
}:
let
  inherit (project) style;
in
self.pkgs.writeShellScript "nixpy-${style}-run" ''
  export NIXPY_FHS=1
  ${start}# The project's folder is the one with the nixpy.lock that belongs to this script: this folder, one above, or the
  # one that a flake with several projects names.
  project=$PWD
  until grep -qs '"inputs": "${project.digest}"' "$project/${project.lock}" || [ "$project" = / ]; do
    project=$(dirname "$project")
  done
  if grep -qs '"inputs": "${project.digest}"' "''${NIXPY_FOLDER-.}/${project.lock}"; then
    project=''${NIXPY_FOLDER-$project}
  fi
  prefix=$project/.${style}
  from_yml() {
    ${fromYml}
  }
  from_txt() {
    ${fromTxt}
  }
  bare() {
    ${bare}
  }

  files=
  for file in "$project"/environment.yml "$project"/conda-requirements.txt; do
    [ "$project" = / ] || [ ! -e "$file" ] || files="$files$(sha256sum < "$file")"
  done
  if [ -z "$files" ]; then
    echo "nixpy: no environment is active: this is not the project's folder, or it has no environment.yml" >&2
  else
    if [ "$files" != "$(cat "$prefix/.nixpy-files" 2> /dev/null)" ]; then
      echo "nixpy: ${style} installs packages into $prefix" >&2
      if
        { [ ! -e "$project/environment.yml" ] || from_yml; } &&
          { [ -d "$prefix/conda-meta" ] || bare; } &&
          { [ ! -e "$project/conda-requirements.txt" ] || from_txt; }
      then
        echo "$files" > "$prefix/.nixpy-files"
      else
        echo "nixpy: ${style} failed; to retry, enter the shell again" >&2
      fi
    fi
    ${style} activate "$prefix"
  fi
  if [ $# -gt 0 ]; then exec "$@"; else exec bash; fi
''
