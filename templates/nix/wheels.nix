# Makes packages of locked wheels.
# Takes the project, the facts about wheels, and a function from a name to the package with that wheel's libraries.
# Returns { lock, wheels, fromWheel }: nixpy.lock for this system, its wheels, and each of them built, by name.
self: project:
{
  lock, # nixpy.lock
  addresses ? null, # uv.lock, which knows where each file lies, on whatever index
  missing ? [ ], # sonames that no package supplies: optional ones, those of the host, and ignored ones
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
  # Without uv.lock the address follows from the file's name: project-version-python-abi-platform.whl.
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

  # Other wheels that ship a soname that this one links to.
  siblings =
    wheel:
    let
      wanted = lib.attrNames (wheel.needs.sonames or { });
      answers = other: lib.intersectLists wanted (other.needs.provides or [ ]) != [ ];
    in
    lib.filter (other: other.name != wheel.name && answers other) wheels;

  # Where libraries look for what they open by its name at run time; the driver is the host's.
  runpaths =
    lib.optional opened "${libraries}/lib" ++ lib.optional project.driver "/run/opengl-driver/lib";

  # Unpacked, with run paths to the libraries. A soname that nothing supplies fails the build, but for the missing ones.
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
        # The lock says what belongs together; a stripped wheel may be broken.
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
