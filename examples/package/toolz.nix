# toolz 0.12.1 of PyPI for nixpkgs' Python set, by `nixpy package`. It is yours to edit.
{
  buildPythonPackage,
  fetchPypi,

  # build-system
  setuptools,
}:

buildPythonPackage rec {
  pname = "toolz";
  version = "0.12.1";
  pyproject = true;

  src = fetchPypi {
    inherit pname version;
    hash = "sha256-7Mo0JmSJPxd6E9rA5rQcvYrCWjWOXyFTFtQ+IQAiT00=";
  };

  # It names no build system: that means setuptools (PEP 517).
  build-system = [ setuptools ];

  # What its tests need is not written where it can be read: add it to nativeCheckInputs with pytestCheckHook.
  doCheck = false;

  pythonImportsCheck = [
    "tlz"
    "toolz"
  ];

  meta = {
    description = "List processing tools and functional utilities";
    homepage = "https://github.com/pytoolz/toolz/";
    # license: BSD License; see lib.licenses
  };
}
