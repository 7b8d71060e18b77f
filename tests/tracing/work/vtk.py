# /// script
# dependencies = ["vtk"]
# [tool.trace]
# kind = "opengl"
# ///
"""Render a cone in a window."""

import vtk

cone = vtk.vtkConeSource()
mapper = vtk.vtkPolyDataMapper()
mapper.SetInputConnection(cone.GetOutputPort())
actor = vtk.vtkActor()
actor.SetMapper(mapper)
renderer = vtk.vtkRenderer()
renderer.AddActor(actor)
window = vtk.vtkRenderWindow()
window.AddRenderer(renderer)
window.SetSize(200, 200)
window.Render()
assert window.ReportCapabilities().count("OpenGL")
