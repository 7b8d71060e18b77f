# /// script
# dependencies = ["playwright"]
# [tool.trace]
# kind = "tool"
# ///
"""Start the driver."""

from playwright.sync_api import sync_playwright

with sync_playwright() as playwright:
    assert playwright.chromium.executable_path
