"""What `wherefore base inspect` shows of a base."""

from pathlib import Path

from ...cohort.records import Case
from ...study.config import load
from ...study.errors import StudyError, not_one_of
from ...study.weights import PACKAGED
from ...synth.records import Claim, Rationale
from ..settings import Settings, StoredBase, settings_of
from ..settings import bases as bases_of
from ..targets import TARGETS
from .inspection import Inspection, inspected
from .sources import folder_of, stored

_CASE = Case(
    id="example",
    subject="example",
    split="train",
    age=70.0,
    sex="female",
    day=25568,
    label=1,
    outcome="onset",
    followup_years=2.0,
    weight=1.0,
    n_shown=2,
    n_total=2,
    timeline="[E001] Sex: female\n[E002] age 66.4 (3.6 y before): Stroke",
)
_WHY = Rationale(
    id="example",
    case="example",
    style="free",
    teacher="example",
    label_shown=True,
    key="example",
    claims=(Claim(text="There was a stroke.", cites=("E002",)), Claim(text="Risk is high.")),
)


def of_study(name: str, study_file: Path) -> tuple[Inspection, Settings]:
    """A base of a study, under the study's settings.

    Raises:
        StudyError: no such base, one that is made on the spot, or one that cannot be used.
    """
    study = load(study_file)
    known = bases_of(study)
    if name not in known:
        raise StudyError(f"{study_file}: {not_one_of('base', name, known)}")
    base, settings = known[name], settings_of(study)
    if not isinstance(base, StoredBase):
        raise StudyError(
            f"{study_file}: bases.{name} is made on the spot by the train stage; it is always usable."
        )
    folder = folder_of(study, Path(), name)
    return inspected(base, folder, settings, f"bases.{name}"), settings


def named(name: str, native: bool = False) -> tuple[Inspection, Settings]:
    """A base by what it is called: a packaged model, a path, or an id of the hub.

    Raises:
        StudyError: it is none of these, or cannot be used.
    """
    if name in PACKAGED:
        where = {"package": name}
    elif Path(name).expanduser().exists() or name.count("/") != 1:
        where = {"path": name}
    else:
        where = {"hub": name}
    base = StoredBase.model_validate({**where, "thinking": "native" if native else "off"})
    settings = Settings(question="Will dementia be diagnosed within five years?")  # an example
    return inspected(base, stored(base, name, Path.cwd()), settings, name), settings


def shown(inspection: Inspection, settings: Settings) -> str:
    """All of it, for people."""
    e, i = inspection.encoder, inspection
    labels = ", ".join(f"{w!r} = {list(t)}" for w, t in zip(e.labels.words, e.labels.tokens, strict=True))
    spoken = "none: the case is the text" if not e.turn.after else "in use"
    thought = f"reasons are written as {e.turn.thought.open.strip()!r}" if e.turn.thought else "off"
    (example,) = TARGETS["free_rationale"].build(_CASE, _WHY, settings.question)
    rows = [
        ("folder", str(i.folder)),
        ("model", f"{i.architecture}, {i.layers} layers, width {i.width:,}, vocabulary {i.vocabulary:,}"),
        ("parameters", f"{i.parameters:,}; the adapter {i.adapted:,}"),
        ("context", f"{i.context:,} tokens; room for a history {i.room:,}"),
        ("template", spoken),
        ("thinking", thought),
        ("labels", labels + ("" if e.labels.single else " (scored exactly over their tokens)")),
        ("answer ends", repr(e.decode([e.end])) if e.end is not None else "by length alone"),
        ("special text", f"{len(e.controls.ids)} control tokens; in records they are spelled out"),
    ]
    memory = [
        f"  {name:<24}{i.memory(settings, n) / 1e9:5.1f} GB" for name, n in _lengths(inspection, settings)
    ]
    width = max(len(k) for k, _ in rows) + 2
    return "\n".join(
        [
            *(f"{k:<{width}}{v}" for k, v in rows),
            "memory of a fit, within a quarter",
            *memory,
            "an example as the base meets it",
            "-" * 40,
            e.rendered(example.segments),
            "-" * 40,
        ]
    )


def _lengths(inspection: Inspection, settings: Settings) -> list[tuple[str, int]]:
    """(target, tokens of an example whose history takes 300)."""
    encoder = inspection.encoder
    shown = min(300, inspection.room)
    out = []
    for name, target in TARGETS.items():
        examples = target.build(_CASE, _WHY if target.style else None, settings.question)
        rows = [encoder.row(e) for e in examples]
        prompt = encoder.length(examples[0].segments[:1])
        answers = sum(len(r.ids) - prompt for r in rows)
        out.append((name, shown * len(rows) + (answers if target.style is None else answers + 100)))
    return out
