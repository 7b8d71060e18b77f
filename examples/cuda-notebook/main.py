"""Runs the notebook in a kernel, as an editor does, and prints the output of its cells."""

from pathlib import Path

import nbformat
from nbclient import NotebookClient

notebook = nbformat.read(Path(__file__).with_name("pi.ipynb"), as_version=4)
NotebookClient(notebook).execute()
for cell in notebook.cells:
    for output in cell.get("outputs", []):
        print(output.text.strip() if output.output_type == "stream" else output.data["text/plain"])
