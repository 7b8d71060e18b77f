"""Why does it not work here? What is observed of a machine, a shell and a `.venv`, and what is wrong with it."""
