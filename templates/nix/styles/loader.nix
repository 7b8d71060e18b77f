# Style loader: the loader of the interpreter's own glibc gets the search path, so child processes inherit nothing.
# Takes the project, and no facts of its own. Returns what ../project.nix makes outputs of.
self: project: { }: self.launched-python project
