"""What a pack says of itself: README, install.sh, checksums."""

import platform
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from ...study.config import Study
from ...study.errors import DISTRIBUTION
from ...study.reads import sha256


def write_pages(
    study: Study, part: Path, wheels: Mapping[str, str], elsewhere: Sequence[str], stages: Sequence[str]
) -> None:
    """Write README.md, install.sh and SHA256SUMS.

    Args:
        study: that is packed.
        part: the pack.
        wheels: version by name of every package in it.
        elsewhere: `key = path` of what the study names and the pack has not.
        stages: of the run folder that are in it, which hold patient text; none where there is none.
    """
    env = Environment(
        loader=PackageLoader("wherefore.templates", "pack"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    known = {
        "study": study,
        "python": f"{sys.version_info[0]}.{sys.version_info[1]}",
        "system": platform.system(),
        "machine": platform.machine(),
        "release": wheels[DISTRIBUTION],
        "wheels": wheels,
        "elsewhere": elsewhere,
        "stages": stages,
        "bases": sorted(p.name for p in (part / "bases").glob("*")),
    }
    for template, name in (("README.md.j2", "README.md"), ("install.sh.j2", "install.sh")):
        (part / name).write_text(env.get_template(template).render(known), encoding="utf-8")
    (part / "install.sh").chmod(0o755)
    sums = [
        f"{sha256(p)}  {p.relative_to(part)}"
        for p in sorted(part.rglob("*"))
        if p.is_file() and p.name != "SHA256SUMS"
    ]
    (part / "SHA256SUMS").write_text("\n".join(sums) + "\n", encoding="utf-8")
