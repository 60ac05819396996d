"""`wherefore pack`: a folder that installs and runs a study where there is no network at all."""

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from ...study.errors import DataError
from .. import _common


@click.command()
@_common.with_study
@click.option(
    "--to", type=click.Path(path_type=Path), required=True, help="A new folder, to be carried there as it is."
)
@click.option(
    "--with-patients",
    is_flag=True,
    help="Also pack the cases, rationales and gradings of the run folder. They hold patient text.",
)
def command(study: Path, runs: Path, to: Path, with_patients: bool) -> None:
    """Pack STUDY with its base models and every package that it runs on, for a machine without a network.

    The folder has wheels for this Python and this kind of machine, install.sh, a README and checksums. Patient data
    is never in it unless --with-patients is given; the command and the README say so either way.
    """
    from .contents import files_beside, pack_bases, pack_patients, study_text
    from .pages import write_pages
    from .wheels import extras_of, pack_wheels

    s = _common.opened(study)
    if to.exists():
        raise DataError(f"{to}: exists. Choose a new folder for --to.")
    if not to.absolute().parent.is_dir():
        raise DataError(f"{to}: no folder {to.absolute().parent}. Make it first, or choose another --to.")
    if with_patients:
        _common.check_done(s, runs, study, "cohort")
    with TemporaryDirectory(dir=to.absolute().parent, prefix=".pack-") as name:
        part = Path(name) / "pack"
        part.mkdir()
        text = study_text(s)
        (part / "study.toml").write_text(text, encoding="utf-8")
        here, elsewhere = files_beside(s, part)
        pack_bases(s, runs / s.name, part)
        wheels = pack_wheels(extras_of(s), part)
        stages = pack_patients(runs / s.name, part / "runs" / s.name) if with_patients else []
        write_pages(s, part, wheels=wheels, elsewhere=elsewhere, stages=stages)
        shutil.move(part, to)
    held = f"it HOLDS PATIENT DATA: {', '.join(stages)}" if stages else "no patient data is in it"
    size = sum(p.stat().st_size for p in to.rglob("*") if p.is_file()) / 1e6
    click.echo(f"pack: {to}: {len(wheels)} packages, {size:,.0f} MB; {held}.")
    for path in here:
        click.echo(f"  packed {path}, which the study names")
    for name in elsewhere:
        click.echo(f"  not packed: {name}")
