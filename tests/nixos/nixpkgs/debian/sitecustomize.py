"""What the wrappers of an environment tell an interpreter that is not the environment's own.

NIX_PYTHONPATH names folders of modules (their .pth files count), which come behind PYTHONPATH. Outside of a virtual
environment NIX_PYTHONEXECUTABLE and NIX_PYTHONPREFIX become `sys.executable` (PYTHONEXECUTABLE has precedence) and
`sys.prefix`. All are taken out of the environment, so that no other Python hears of them.
"""

import os
import site
import sys

folders = os.environ.pop("NIX_PYTHONPATH", None)
if folders:
    for folder in folders.split(":"):
        site.addsitedir(folder)

# In a virtual environment the two stay set: nixpkgs has it so.
if sys.prefix == sys.base_prefix:
    executable = os.environ.pop("NIX_PYTHONEXECUTABLE", None)
    if executable is not None and "PYTHONEXECUTABLE" not in os.environ:
        sys.executable = executable
    prefix = os.environ.pop("NIX_PYTHONPREFIX", None)
    if prefix is not None:
        sys.prefix = sys.exec_prefix = prefix
        site.PREFIXES.insert(0, prefix)
