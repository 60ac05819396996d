"""The `[synth]` section of a study file."""

import re
from typing import Literal

from pydantic import Field, model_validator

from ..cohort.records import Split
from ..study.parts import Part
from ..study.records import Record

_NAME = re.compile(r"[a-z][a-z0-9_]*")

Position = Literal["shown", "hidden", "filtered", "probability", "partial", "late"]
"""What a teacher is told of the outcome; see `synth/dial/told.py`."""


class JobSettings(Record):
    """How the requests are sent. None of it changes an answer, so none of it makes a finished stage stale."""

    in_flight: int = Field(default=64, gt=0)
    """Most requests at once, over all endpoints; the job finds out how many of them an endpoint bears."""
    attempts: int = Field(default=6, gt=0)
    """Of one request, before it is given up. A refusal to take more at the moment (429) does not count."""
    ray: int | None = Field(default=None, gt=0)
    """So many shards as Ray actors, on the cluster that RAY_ADDRESS names or else on this machine."""
    outage_minutes: float = Field(default=10, gt=0)
    """Endpoints that fail or refuse are tried again for so long, ever more rarely; one that never answered and does
    not say that it is busy, a few times."""
    unreadable: int = Field(default=10, ge=0)
    """After so many answers of which none can be read the job stops and says why; 0: it goes on."""
    deadline_minutes: float | None = Field(default=None, gt=0)
    """After this the job sends nothing more, waits for what is in flight, and stops."""
    budget: float | None = Field(default=None, gt=0)
    """Money, in the currency of `prices`; the job stops before it spends more."""
    budget_tokens: int | None = Field(default=None, gt=0)
    """Prompt and completion tokens together; tokens that an endpoint does not count are taken from the length."""


class Prices(Record):
    """What a million tokens cost, in whatever currency; used for `check`, for the budget and in the report."""

    prompt: float = Field(ge=0)
    completion: float = Field(ge=0)


class Asking(Record):
    """Who is asked, what it costs, and how the requests are sent."""

    teacher: Part
    """A file name in `synth/teachers/`, and that teacher's options beside it."""
    reask: int = Field(default=1, ge=0)
    """How often an answer that cannot be read is asked for again."""
    prices: Prices | None = None
    thinking_tokens: int | None = Field(default=None, ge=0)
    """Of an answer, for the price that `wherefore check` gives; None: as `reasoning_effort` suggests."""
    job: JobSettings = JobSettings()

    @model_validator(mode="after")
    def _a_budget_needs_prices(self) -> "Asking":
        if self.job.budget is not None and self.prices is None:
            raise ValueError("a budget of money needs `prices`; give them, or set `budget_tokens` instead")
        return self


class CorpusHint(Record):
    """What the teacher is told of the outcome for one corpus; the keys mean what they mean in `[synth]`."""

    label: Position = "shown"
    """What the teacher is told of the outcome."""
    shown_share: float = Field(default=0.5, ge=0, le=1)
    """For `partial`: the share of cases whose label is told."""
    risks: str = "base_rate"
    """For `probability`: where the probabilities come from."""


class Settings(Asking):
    """Who explains what, and how."""

    teacher: Part = Part(name="reference")
    styles: tuple[str, ...] = Field(default=("free", "stepwise"), min_length=1)
    """Names in the table of `synth/styles.py`."""
    label: Position = "shown"
    """What the teacher is told of the outcome: the label itself (`shown`); nothing (`hidden`); nothing, and only
    rationales with the right verdict are kept (`filtered`); a probability in its place (`probability`, see `risks`);
    the label of some cases and nothing of the others (`partial`, see `shown_share`); nothing for a first draft, then
    the label (`late`: two requests for each rationale). The style `own` asks as a student is asked, and tells
    nothing but late."""
    shown_share: float = Field(default=0.5, ge=0, le=1)
    """For `partial`: the share of cases whose label is told. A larger share holds the cases of a smaller one."""
    risks: str = "base_rate"
    """For `probability`, what is told: the share with the outcome in the training split (`base_rate`), a risk that
    logistic regression reads off the history (`estimate`), the simulator's own (`true_risk`), or a CSV or Parquet
    file with the columns `case` and `risk`."""
    samples: int = Field(default=1, gt=0)
    """Rationales per case and style."""
    splits: tuple[Split, ...] = ("train", "tuning", "held_out")
    """Whose cases are explained; held-out ones only to read how much of the label a rationale gives away."""
    controls: tuple[str, ...] = ()
    """Corpora made from the rationales for the experiment: names in the table of `synth/controls.py`."""
    corpora: dict[str, CorpusHint] = Field(default_factory=dict)
    """More corpora by the same teacher about the same cases, told something else; `[grid] corpus` names them."""
    verifier: Asking | None = None
    """A language model that reads every claim after the rules have; its budget and prices are its own."""
    undecided: Literal["verifier", "clinicians", "count"] | None = None
    """Who decides about a claim that rules cannot decide: the verifier; clinicians, without whose acceptance the
    rationale is not taught; or nobody (it is counted). None: the verifier where there is one, else nobody."""

    tables: str | None = None
    """Folder with tables of the study's own for the grounding check, beside those in `synth/grounding/data/`."""

    @property
    def decides(self) -> Literal["verifier", "clinicians", "count"]:
        """Who decides about a claim that rules cannot decide."""
        return self.undecided or ("verifier" if self.verifier else "count")

    @model_validator(mode="after")
    def _a_verifier_decides(self) -> "Settings":
        if self.undecided == "verifier" and self.verifier is None:
            raise ValueError(
                'undecided = "verifier" needs a section [synth.verifier]; add it, or choose "clinicians" or "count"'
            )
        return self

    @model_validator(mode="after")
    def _corpora_have_names_of_their_own(self) -> "Settings":
        for name in self.corpora:
            if name == "teacher" or name in self.controls or not _NAME.fullmatch(name):
                raise ValueError(
                    f"corpora: {name!r} is the teacher's own corpus, a control, or no plain name. Choose another of "
                    "small letters, digits and _"
                )
        return self

    @model_validator(mode="after")
    def _styles_differ(self) -> "Settings":
        twice = [s for i, s in enumerate(self.styles) if s in self.styles[:i]]
        if twice:
            raise ValueError(
                f"style {twice[0]!r} is listed twice; for more rationales of a style set `samples`"
            )
        return self
