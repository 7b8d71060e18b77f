# Feature playwright: the browsers of nixpkgs, which have the names that Playwright gives to the browsers of one version.
# Takes nixpkgs. Returns { hook }, shell text.
self: {
  hook = ''
    # Playwright must not check whether this host has the libraries of the browsers that it would download.
    export PLAYWRIGHT_BROWSERS_PATH=${self.pkgs.playwright-driver.browsers}
    export PLAYWRIGHT_SKIP_VALIDATE_HOST_REQUIREMENTS=true
  '';
}
