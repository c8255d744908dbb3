# ruff: noqa: INP001, T201 - scripts, in no package
"""Take screenshots of the dev page: ``python dev/shoot.py NAME 'assets=100&theme=dark' [script.js ...]``.

Build it before: ``npm run dev``. A script is JavaScript that runs in the page, then 400 ms pass.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

HERE = Path(__file__).parent
CHROMIUM = shutil.which("chromium")  # None: the one that Playwright has installed
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--allow-file-access-from-files",
]


def main(name: str, query: str, *actions: str, size: tuple[int, int] = (1320, 760)) -> None:
    """Open the page, do the actions, take a picture.

    An action is ``click:CSS``, ``key:K``, ``type:text``, ``at:x,y``, ``right:x,y``, ``hover:x,y``, ``wait:ms``, or else
    JavaScript.
    """
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page(viewport={"width": size[0], "height": size[1]}, device_scale_factor=1)
        page.on("console", lambda message: print("console:", message.text))
        page.on("pageerror", lambda error: print("error:", error))
        page.goto(f"file://{HERE / 'page.html'}?{query}")
        page.wait_for_timeout(700)
        for action in actions:
            kind, _, rest = action.partition(":")
            if kind == "click":
                page.click(rest)
            elif kind == "key":
                page.keyboard.press(rest)
            elif kind == "type":
                page.keyboard.type(rest)
            elif kind == "at":
                page.mouse.click(*map(float, rest.split(",")))
            elif kind == "right":
                page.mouse.click(*map(float, rest.split(",")), button="right")
            elif kind == "hover":
                page.mouse.move(*map(float, rest.split(",")))
            elif kind == "wait":
                page.wait_for_timeout(int(rest))
            else:
                print(page.evaluate(action))
            page.wait_for_timeout(400)
        page.screenshot(path=str(HERE / "out" / f"{name}.png"))
        browser.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
