# Feature gobject: GTK and its typelibs.
# Takes nothing. Returns { hook }, shell text.
_: {
  hook = ''
    # GTK aborts if it does not find the schemas of its settings.
    export XDG_DATA_DIRS="''${GSETTINGS_SCHEMAS_PATH-}''${XDG_DATA_DIRS:+:$XDG_DATA_DIRS}"
  '';
}
