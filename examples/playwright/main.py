"""Prints the title of a page that Chromium opens."""

from playwright.sync_api import sync_playwright

with sync_playwright() as playwright:
    browser = playwright.chromium.launch()
    page = browser.new_page()
    page.set_content("<title>hello</title>")
    print(page.title())
    browser.close()
