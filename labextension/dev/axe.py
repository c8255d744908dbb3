# ruff: noqa: INP001, T201 - scripts, in no package
"""Ask axe-core what is wrong with the view, in a real Chromium: ``python dev/axe.py`` after ``npm run dev``."""

from __future__ import annotations

import sys
from pathlib import Path

from playwright.sync_api import Page, sync_playwright
from shoot import CHROMIUM, FLAGS

HERE = Path(__file__).parent
AXE = HERE.parent / "node_modules" / "axe-core" / "axe.min.js"
STATES = {
    "graph": [],
    "details": ["list", "text=orders"],
    "job": ["[aria-label^='Job nightly']"],
    "launchpad": ["[aria-label^='Configure']"],
    "list": ["list"],
    "menu": ["[aria-label='More ways to run']"],
    "help": ["[aria-label^='Keys']"],
}


def violations(page: Page) -> list[str]:
    """Return what axe finds, with where."""
    page.add_script_tag(path=str(AXE))
    found = page.evaluate("axe.run(document.querySelector('#lineage'), {resultTypes: ['violations']})")
    return [
        f"{one['impact']}: {one['id']}: {one['help']}: {node['target']} {node['failureSummary'][:160]}"
        for one in found["violations"]
        for node in one["nodes"][:3]
    ]


def main() -> None:
    """Print what is found in each state of the view, in both themes."""
    bad = 0
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        for theme in ("light", "dark"):
            for name, clicks in STATES.items():
                page = browser.new_page(viewport={"width": 1320, "height": 760}, reduced_motion="reduce")
                page.goto(f"file://{HERE / 'page.html'}?theme={theme}&idle")
                page.wait_for_timeout(500)
                for click in clicks:
                    if click == "list":
                        page.click("[aria-label='List']")
                    elif click.startswith("text="):
                        page.locator("[role=row]", has_text=click[5:]).nth(1).click()
                    else:
                        page.click(click)
                    page.wait_for_timeout(500)
                found = violations(page)
                bad += len(found)
                print(f"{theme} {name}: {'nothing' if not found else ''}")
                for line in found:
                    print("   ", line)
                page.close()
        browser.close()
    sys.exit(bad > 0)


if __name__ == "__main__":
    main()
