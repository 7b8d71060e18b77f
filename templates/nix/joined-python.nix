# The interpreter's files, with another program instead of the interpreter.
# Takes the project, packages to build with, and shell text that makes $out/bin/EXECUTABLE on Linux.
# Returns the outputs of own-python.nix for the new interpreter.
self: project: tools: launch:
let
  inherit (self) isLinux lib pkgs;
  inherit (project) interpreter;
in
self.own-python project (
  pkgs.symlinkJoin {
    inherit (interpreter) name;
    paths = [ interpreter ];
    nativeBuildInputs = [ pkgs.makeBinaryWrapper ] ++ tools;
    postBuild = ''
      # Let scripts of the interpreter, such as pydoc, start the new program.
      for script in $out/bin/*; do
        if [ "$(head -c 2 "$script")" = "#!" ]; then
          sed "s|${interpreter}/bin/|$out/bin/|g" "$script" > script
          rm "$script"
          install -m 755 script "$script"
        fi
      done
      ${lib.concatMapStrings (feature: feature.joined or (_: "") project) project.features}rm -f $out/bin/python $out/bin/python3 $out/bin/${interpreter.executable}
      ln -s ${interpreter.executable} $out/bin/python3
      ln -s ${interpreter.executable} $out/bin/python
    ''
    + lib.optionalString isLinux launch
    + lib.optionalString (!isLinux) ''
      # On macOS, the interpreter of a script cannot be a script. Libraries inside a wheel come before this variable.
      makeBinaryWrapper ${interpreter.interpreter} $out/bin/${interpreter.executable} \
        --inherit-argv0 \
        --resolve-argv0 \
        --set-default DYLD_FALLBACK_LIBRARY_PATH /usr/local/lib:/usr/lib \
        --prefix DYLD_FALLBACK_LIBRARY_PATH : ${project.libraries}/lib
    '';
    meta.mainProgram = interpreter.executable;
  }
)
