"""Runs Lighthouse (npm) on a page, in a new browser that knows no host but this machine."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

from tests.browser_support import ARGUMENTS, chromium_path, skip_or_fail
from tests.node_tools import installed_packages, node_programs

ROOT = Path(__file__).resolve().parents[2]
CHAPTERS = re.findall(r"file: (chapters/\S+)", (ROOT / "_toc.yml").read_text("utf-8"))
PAGES = ["index.html", *(f"{name}.html" for name in CHAPTERS)]

CHROMIUM_FLAGS = (
    f"--headless=new {' '.join(ARGUMENTS)} "
    '--host-resolver-rules="MAP * ~NOTFOUND , EXCLUDE 127.0.0.1"'
)
A_RUN = 180  # seconds; only so that a run that hangs ends at all


def lighthouse(
    url: str, folder: Path, *options: str, categories: tuple[str, ...]
) -> dict[str, Any]:
    """Lighthouse's report on a page.

    Args:
        url: the page, on this machine.
        folder: where the browser may keep what it wants.
        options: more options of Lighthouse's command.
        categories: which of "performance", "accessibility", "best-practices" and "seo".
    """
    chromium = chromium_path()
    if chromium is None:
        skip_or_fail("no Chromium: install it, or set CHROME_PATH")
    file = folder / "report.json"
    command = [
        *node_programs()[0],
        str(installed_packages() / "lighthouse" / "cli" / "index.js"),
        url,
        "--quiet",
        "--output=json",
        f"--output-path={file}",
        f"--chrome-flags={CHROMIUM_FLAGS}",
        f"--only-categories={','.join(categories)}",
        "--disable-full-page-screenshot",
        "--no-enable-error-reporting",
        *options,
    ]
    environment = {**os.environ, "CHROME_PATH": chromium, "HOME": str(folder)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=A_RUN)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    report = json.loads(file.read_text("utf-8"))
    assert "runtimeError" not in report, report["runtimeError"]
    warnings = [one for one in report["runWarnings"] if "slower CPU" not in one]
    assert warnings == []
    return report


def score(report: dict[str, Any], category: str) -> float:
    """What Lighthouse gives a page in a category, from 0 to 1."""
    return report["categories"][category]["score"]


def costs(report: dict[str, Any], *categories: str) -> str:
    """Every audit that cost points, with what it found: one a line, its findings below it."""
    lines = []
    for category in categories:
        for part in report["categories"][category]["auditRefs"]:
            audit = report["audits"][part["id"]]
            if not part["weight"] or audit["score"] in (None, 1):
                continue
            shown = audit.get("displayValue", "")
            lines.append(f"{category}: {audit['id']} {audit['score']}: {audit['title']} {shown}")
            for item in audit.get("details", {}).get("items", [])[:5]:
                lines.append(f"    {json.dumps(item)[:300]}")
    return "\n".join(["", *lines])
