"""Import every top-level module and every extension module of a distribution."""

import importlib
import importlib.metadata
from pathlib import PurePosixPath

files = importlib.metadata.distribution("DISTRIBUTION").files or []
modules = set()
for file in map(PurePosixPath, files):
    if file.parts[0].endswith((".dist-info", ".data", "..")) or "tests" in file.parts:
        continue
    if file.name.endswith(".py") and (len(file.parts) == 1 or file.name == "__init__.py" and len(file.parts) == 2):
        modules.add(file.stem if len(file.parts) == 1 else file.parts[0])
    if file.name.endswith((".cpython-313-x86_64-linux-gnu.so", ".abi3.so")):
        modules.add(".".join((*file.parts[:-1], file.name.partition(".")[0])))
for module in sorted(modules):
    try:
        importlib.import_module(module)
    except ModuleNotFoundError as error:  # of a package that is not installed
        print(module, error)
print(len(modules), "modules")
