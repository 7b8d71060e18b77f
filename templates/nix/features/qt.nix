# Feature qt: keyboard layouts for the Qt in wheels, and no plugins of the desktop.
# Takes nixpkgs. Returns { hook }, shell text.
self:
let
  inherit (self) pkgs;
in
{
  hook = ''
    # The Qt in a wheel must not load plugins that were built for the desktop's Qt.
    unset QT_PLUGIN_PATH NIXPKGS_QT6_QML_IMPORT_PATH QML2_IMPORT_PATH QT_STYLE_OVERRIDE
    export QT_XKB_CONFIG_ROOT=${pkgs.xkeyboard-config or pkgs.xkeyboard_config}/share/X11/xkb
  '';
}
