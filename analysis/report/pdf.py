"""The report as a PDF: printed by a Chromium that is on the machine, with nothing added to the page."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from ...study.errors import DataError, MissingPartError

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")
"""Commands by which a Chromium is found."""
PLACES = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
SECONDS = 180


def browser() -> str:
    """The command of a Chromium on this machine; `WHEREFORE_CHROMIUM` names another.

    Raises:
        MissingPartError: there is none.
    """
    named = os.environ.get("WHEREFORE_CHROMIUM")
    if named:
        if shutil.which(named) is None:
            raise MissingPartError(f"WHEREFORE_CHROMIUM: {named}: program not found.")
        return named
    program = next((path for name in NAMES if (path := shutil.which(name))), None)
    program = program or next((p for p in PLACES if Path(p).is_file()), None)
    if program is None:
        raise MissingPartError(
            "--pdf: no Chromium or Chrome on this machine. Install one, name it in WHEREFORE_CHROMIUM, or print "
            "report.html from any browser."
        )
    return program


def printed(page: Path, pdf: Path, paper: str = "A4") -> None:
    """Print a page: folded blocks open, page numbers, repeated table heads (`templates/report/print.css`).

    Args:
        page: the HTML file.
        pdf: where the PDF goes.
        paper: `A4` or `Letter`.
    Raises:
        MissingPartError: no Chromium.
        DataError: it printed nothing.
    """
    program = browser()
    with tempfile.TemporaryDirectory(prefix="wherefore-") as name:
        folder = Path(name)
        copy, out = folder / "report.html", folder / "report.pdf"
        size = f"<style>@page {{ size: {paper}; }}</style></head>"
        copy.write_text(page.read_text(encoding="utf-8").replace("</head>", size, 1), encoding="utf-8")
        command = [
            program,
            "--headless",
            "--no-sandbox",  # the page is our own and has no script; containers have no other way
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--no-first-run",
            f"--user-data-dir={folder / 'profile'}",
            "--no-pdf-header-footer",
            f"--print-to-pdf={out}",
            copy.as_uri(),
        ]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
        except subprocess.TimeoutExpired as e:
            raise DataError(
                f"{program}: printed nothing within {SECONDS} s. Print {page} from a browser."
            ) from e
        if not out.is_file() or not out.stat().st_size:
            fault = (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
            raise DataError(f"{program}: printed nothing: {fault}. Print {page} from a browser.")
        part = pdf.with_name(pdf.name + ".part")
        shutil.copyfile(out, part)
        part.replace(pdf)
