# /// script
# dependencies = ["pymeshlab"]
# [tool.trace]
# kind = "science"
# ///
"""Make a mesh, filter it, save it and load it again."""

import pymeshlab

meshes = pymeshlab.MeshSet()
meshes.create_cube()
meshes.apply_filter("meshing_surface_subdivision_midpoint", iterations=2)
meshes.save_current_mesh("cube.ply")
meshes.load_new_mesh("cube.ply")
assert meshes.current_mesh().face_number() == 192, meshes.current_mesh().face_number()
