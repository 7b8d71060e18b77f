# Feature find-library: ctypes.util.find_library searches the project's libraries first.
# Takes nixpkgs. Returns { joined }, a function from the project to shell text for its joined interpreter.
self: {
  joined =
    project:
    let
      program = builtins.replaceStrings [ "@libraries@" ] [ "${project.libraries}" ] self."programs/find_library";
    in
    ''
      ctypes=$out/lib/${project.interpreter.libPrefix}/ctypes
      cat $ctypes/util.py ${self.pkgs.writeText "find_library.py" program} > util.py
      rm -f $ctypes/util.py $ctypes/__pycache__/util.*
      cp util.py $ctypes/util.py
    '';
}
