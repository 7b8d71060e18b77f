"""Shows a window with a button that counts, if there is a display."""

import os
import tkinter as tk


def show() -> None:
    """Show the window until it is closed."""
    window = tk.Tk()
    count = tk.IntVar(window)
    tk.Label(window, textvariable=count).pack()
    tk.Button(window, text="count", command=lambda: count.set(count.get() + 1)).pack()
    window.mainloop()


print("Tk", tk.TkVersion)
if os.environ.get("DISPLAY"):
    show()
