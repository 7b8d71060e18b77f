# toolz 0.12.1 from PyPI for nixpkgs' Python set, written once by `nixpy package`. This file is yours.
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

  # The sdist names no build system; the default is setuptools (PEP 517).
  build-system = [ setuptools ];

  # Metadata does not list the requirements of tests: add them to nativeCheckInputs, with pytestCheckHook.
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
