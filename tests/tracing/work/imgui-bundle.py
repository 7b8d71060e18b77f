# /// script
# dependencies = ["imgui-bundle"]
# [tool.trace]
# kind = "window"
# ///
"""Open a window with a text in it."""

from imgui_bundle import hello_imgui, imgui

frames = 0


def show() -> None:
    global frames
    imgui.text("hello")
    frames += 1
    if frames == 5:
        hello_imgui.get_runner_params().app_shall_exit = True


hello_imgui.run(show, window_title="a", window_size=(100, 100))
assert frames >= 5
