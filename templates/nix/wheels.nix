# Builds packages from locked wheels.
# Takes the project, the facts about wheels, and a function from a name to the package with that wheel's libraries.
# Returns { lock, wheels, fromWheel }: nixpy.lock for this system, its wheels, and the package of each wheel, by name.
self: project:
{
  lock, # nixpy.lock
  addresses ? null, # uv.lock, which has the URL of each file, on any index
  missing ? [ ], # sonames that no package supplies: optional sonames, those of the host, and ignored sonames
  opened ? false, # whether a wheel opens libraries by name at run time
}:
packageOf:
let
  inherit (self) isLinux lib pkgs;
  inherit (project) interpreter libraries;
  ours = (lib.importJSON lock).systems.${self.system};
  inherit (ours) wheels;

  urls = lib.listToAttrs (
    map (file: lib.nameValuePair (file.hash or "") (file.url or null)) (
      lib.concatMap (package: package.wheels or [ ]) (lib.importTOML addresses).package
    )
  );
  # Without uv.lock, fetchPypi derives the URL from the file's name: project-version-python-abi-platform.whl.
  fetch =
    wheel:
    let
      parts = builtins.match "([^-]+)-(.+)-([^-]+)-([^-]+)-([^-]+)[.]whl" wheel.filename;
      part = lib.elemAt parts;
    in
    if addresses != null then
      pkgs.fetchurl {
        name = wheel.filename;
        url = urls."sha256:${wheel.sha256}";
        inherit (wheel) sha256;
      }
    else
      pkgs.fetchPypi {
        pname = part 0;
        version = part 1;
        format = "wheel";
        dist = part 2;
        python = part 2;
        abi = part 3;
        platform = part 4;
        inherit (wheel) sha256;
      };

  # Other wheels that contain a soname that this wheel links to.
  siblings =
    wheel:
    let
      wanted = lib.attrNames (wheel.needs.sonames or { });
      answers = other: lib.intersectLists wanted (other.needs.provides or [ ]) != [ ];
    in
    lib.filter (other: other.name != wheel.name && answers other) wheels;

  # Where wheels search for libraries that they open by name at run time. The host supplies the driver.
  runpaths =
    lib.optional opened "${libraries}/lib" ++ lib.optional project.driver "/run/opengl-driver/lib";

  # The unpacked wheel, with run paths to the libraries. The build fails if a soname is neither supplied nor `missing`.
  build =
    wheel:
    interpreter.pkgs.buildPythonPackage (
      {
        pname = wheel.name;
        inherit (wheel) version;
        format = "wheel";
        src = fetch wheel;
        nativeBuildInputs = lib.optional isLinux pkgs.autoPatchelfHook;
        buildInputs = lib.optional isLinux libraries;
        preFixup = lib.concatMapStrings (other: ''
          addAutoPatchelfSearchPath ${packageOf other.name}/${interpreter.sitePackages}
        '') (lib.optionals isLinux (siblings wheel));
        passthru.lockedWheel = wheel;
        # The lock has already resolved the requirements. Stripping may break the files of a wheel.
        dontCheckRuntimeDeps = true;
        dontStrip = true;
      }
      // lib.optionalAttrs (missing != [ ]) { autoPatchelfIgnoreMissingDeps = missing; }
      // lib.optionalAttrs (runpaths != [ ]) { appendRunpaths = runpaths; }
    );
in
{
  inherit wheels;
  lock = ours;
  fromWheel = lib.listToAttrs (map (wheel: lib.nameValuePair wheel.name (build wheel)) wheels);
}
