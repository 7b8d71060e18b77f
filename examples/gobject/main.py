"""Plots a line, in a GTK window if there is a display."""

import os

import gi

gi.require_version("Gtk", "3.0")
from gi.repository import Gtk  # noqa: E402

print("GTK", Gtk.get_major_version())
if os.environ.get("DISPLAY"):
    import matplotlib.pyplot as plt

    plt.plot([1, 3, 2, 4])
    plt.show()
