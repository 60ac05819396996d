"""Pages that are written from the code at every build, so that they cannot drift from it.

`study-file` from the settings classes, `run-folder` from `study/layout.py`, `commands` from the commands.
"""

from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import click
from settings_tables import SettingsSection, sections, table
from sphinx.application import Sphinx
from sphinx.ext.napoleon.docstring import GoogleDocstring

from wherefore.cli.main import main
from wherefore.study import layout, parts


def study_file() -> str:
    """Every key of the study file."""
    out = ["# Every key of the study file", ""]
    out += [
        "Made from the settings classes at every build. An unknown key is refused with the nearest known one.",
        "Relative paths start from the folder of the study file.",
    ]
    for section in _all():
        heading = section.heading.lstrip(".")
        where = heading if " " in heading or not heading else f"`[{heading}]`"
        depth = "##" if "." not in heading else "###"
        out += [
            "",
            f"{depth} {where or 'Top level'}",
            "",
            section.about,
            "",
            table(section) if section.keys else "No keys.",
        ]
    return "\n".join(out) + "\n"


def _all() -> Iterator[SettingsSection]:
    from wherefore.analysis.settings import Settings as Analysis
    from wherefore.annotate.settings import Settings as Annotate
    from wherefore.cohort import sources
    from wherefore.cohort.settings import Settings as Cohort
    from wherefore.study.config import Study
    from wherefore.study.grid import Grid
    from wherefore.synth import teachers
    from wherefore.synth.settings import Settings as Synth
    from wherefore.train import settings as train

    stages = frozenset({"cohort", "synth", "annotate", "train", "bases", "grid", "analysis"})
    yield from sections("", Study, stages)
    yield from sections("cohort", Cohort)
    yield from _options(sources, "source", "cohort.source")
    yield from sections("synth", Synth)
    yield from _options(teachers, "teacher", "synth.teacher")
    yield from sections("annotate", Annotate)
    yield from sections("bases.NAME", train.Made)
    yield from sections("bases.NAME", train.StoredBase)
    yield from sections("train", train.Settings)
    yield from sections("grid", Grid)
    yield from sections("analysis", Analysis)


def _options(package: ModuleType, kind: str, key: str) -> Iterator[SettingsSection]:
    """The keys beside `name` of every source or teacher."""
    for name in parts.names(package):
        for section in sections("", parts.find(package, kind, name).Options):
            inside = f", `{section.heading.lstrip('.')}`" if section.heading else ""
            yield section._replace(heading=f"`{key}` with name `{name}`{inside}")


def run_folder() -> str:
    """What a run leaves on disk."""
    about = "`runs/<study>/` holds what the stages hand to each other."
    return f"# The run folder\n\n{about}\n\n```text\n{layout.drawing()}\n```\n"


def commands() -> str:
    """The help of every command."""
    out = ["# Every command", "", "As `--help` prints them."]
    root = click.Context(main, info_name="wherefore")
    for name in main.list_commands(root):
        command = main.get_command(root, name)
        assert command is not None
        for path, leaf in _leaves(command, name):
            context = click.Context(leaf, info_name=f"wherefore {path}", max_content_width=100)
            out += ["", f"## `wherefore {path}`", "", "```text", leaf.get_help(context), "```"]
    return "\n".join(out) + "\n"


def _leaves(command: click.Command, path: str) -> Iterator[tuple[str, click.Command]]:
    yield path, command
    if isinstance(command, click.Group):
        for name in sorted(command.commands):
            yield from _leaves(command.commands[name], f"{path} {name}")


def write(app: Sphinx) -> None:
    """Write the generated pages; unchanged ones are left alone, so that they are not built again."""
    folder = Path(app.srcdir) / "reference" / "generated"
    folder.mkdir(exist_ok=True)
    for name, text in (("study-file", study_file()), ("run-folder", run_folder()), ("commands", commands())):
        page = folder / f"{name}.md"
        if not page.exists() or page.read_text(encoding="utf-8") != text:
            page.write_text(text, encoding="utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    """Called by Sphinx."""
    # A docstring under a field is a sentence: what stands before its colon is no type.
    GoogleDocstring._consume_inline_attribute = lambda self: ("", self._dedent(self._consume_to_end()))
    app.connect("builder-inited", write)
    return {"parallel_read_safe": True}
