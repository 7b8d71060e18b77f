# Functions for the set-up scripts: files from Debian's archive, whose address apt's own settings know. apt's state is a
# private one, so that nothing of the system changes; its settings (proxy, credentials) are the system's.

# A mirror may be busy, or another process may hold apt's lock.
retry() {
  local attempt
  for attempt in 1 2 3 4 5; do
    "$@" && return 0
    [ "$attempt" = 5 ] || sleep $((attempt * 3))
  done
  return 1
}

# The mirror of Debian's main archive in apt's own settings.
mirror() {
  local codename
  codename=$(. /etc/os-release && echo "$VERSION_CODENAME")
  apt-get indextargets --format '$(RELEASE) $(COMPONENT) $(REPO_URI)' 'Created-By: Packages' |
    awk -v codename="$codename" '$2 == "main" && $1 ~ "^(" codename "|stable|oldstable)$" { print $3; exit }'
}

# private_apt DIR LINE…: `"${apt[@]}"` is then apt-get with its state in DIR and these sources ("deb SUITE",
# "deb-src SUITE"), whose lists are brought.
private_apt() {
  local dir=$1 line
  shift
  apt=(apt-get -qq -y
    -o "Dir::State=$dir/state" -o "Dir::State::status=$dir/status" -o "Dir::Cache=$dir/cache"
    -o "Dir::Etc::SourceList=$dir/sources.list" -o Dir::Etc::SourceParts=/dev/null
    -o Dir::Etc::Preferences=/dev/null -o Dir::Etc::PreferencesParts=/dev/null
    -o APT::Sandbox::User="$(id -un)" -o APT::Install-Recommends=false -o Acquire::Languages=none
    -o Acquire::Check-Valid-Until=false -o Debug::NoLocking=true)
  mkdir -p "$dir"/state/lists/partial "$dir"/cache/archives/partial
  : >"$dir/status"
  for line in "$@"; do
    echo "${line%% *} [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $(mirror) ${line#* } main"
  done >"$dir/sources.list"
  retry "${apt[@]}" update
}
