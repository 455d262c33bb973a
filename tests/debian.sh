# What the setup scripts of the tests have in common: programs from Debian's packages, unpacked and not installed. To be
# sourced. apt works on lists and a status file of its own: the machine's packages are not touched, and root is not needed.
# DEBIAN_MIRROR: the mirror (the machine's own).

# retry COMMAND…: four times, with pauses.
retry() {
  local try
  for try in 1 2 3 4; do
    "$@" && return 0
    echo "try $try failed: $*" >&2
    sleep $((try * 3))
  done
  return 1
}

# fetch_debs SUITE alone|whole DEST PACKAGE…: packages of a Debian release unpacked below DEST, `whole` with everything they
# depend on, the C library included. The lists of a release in the making often read as expired; their signatures are
# checked all the same.
fetch_debs() {
  local suite=$1 extent=$2 dest=$3 mirror apt opt
  shift 3
  mirror=${DEBIAN_MIRROR:-$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' | awk '!/security/ && !n++')}
  apt=$(mktemp -d)
  mkdir -p "$apt"/{lists/partial,cache/archives/partial} "$dest"
  : > "$apt/status"
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $suite main" > "$apt/sources.list"
  opt=(-q -o "Dir::Etc::SourceList=$apt/sources.list" -o Dir::Etc::SourceParts=/dev/null
    -o Dir::Etc::Preferences=/dev/null -o Dir::Etc::PreferencesParts=/dev/null
    -o "Dir::State=$apt" -o "Dir::State::lists=$apt/lists" -o "Dir::State::status=$apt/status" -o "Dir::Cache=$apt/cache"
    -o Debug::NoLocking=1 -o APT::Install-Recommends=0 -o Acquire::Languages=none -o Acquire::Check-Valid-Until=false
    -o Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false -o APT::Sandbox::User=root -o Acquire::Retries=3)
  local get=(download)
  [ "$extent" = alone ] || get=(-y --download-only install)
  if apt-get "${opt[@]}" update > /dev/null &&
    (cd "$apt/cache/archives" && apt-get "${opt[@]}" "${get[@]}" "$@" > /dev/null) &&
    for deb in "$apt"/cache/archives/*.deb; do dpkg-deb -x "$deb" "$dest" || { rm -rf "$apt"; return 1; }; done; then
    rm -rf "$apt"
  else
    rm -rf "$apt"
    return 1
  fi
}
