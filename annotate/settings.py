"""The section `[annotate]` of the study file."""

from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from ..cohort.records import Split
from ..study.parts import Part
from ..study.records import Record
from ..synth.settings import Prices


class Person(Record):
    """Somebody who grades."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    """As it stands in every table; a pseudonym will do."""
    email: str = ""
    """Of the account in Label Studio; empty: `<name>@raters.example.com`, which `annotate serve` makes."""

    @property
    def account(self) -> str:
        """The e-mail address that the server knows."""
        return self.email or f"{self.name}@raters.example.com"


class AssignmentDesign(Record):
    """Who grades what. Everybody has an order of their own."""

    kind: Literal["complete", "balanced"] = "complete"
    """Everybody grades everything; or `per_item` raters each, all pairs of raters meeting equally often."""
    per_item: int = Field(default=2, ge=1)
    """Raters an item, for the balanced design."""


class Rounds(Record):
    """A round before the main one, and one after it."""

    calibration: int = Field(default=0, ge=0)
    """Items that everybody grades first; they get no verdict."""
    gate: str = ""
    """The dimension whose alpha on the calibration round must reach `gate_alpha`; empty: no gate."""
    gate_alpha: float = Field(default=0.6, ge=-1, le=1)
    adjudicator: str = ""
    """Who decides what the raters did not, seeing their grades without names; empty: it stays undecided."""


class Controls(Record):
    """Planted items, to measure whether raters notice. They get no verdict and are in no agreement."""

    other_patient: int = Field(default=0, ge=0)
    """Rationales shown beside another patient's timeline."""
    wrong_value: int = Field(default=0, ge=0)
    """Rationales with one number or one citation changed."""


class Shown(Record):
    """What of a rationale raters see. Less of it tells less of the label and the style (docs/annotate.md)."""

    judgement: bool = True
    """Whether sentences are shown that weigh it all (by the grounding check): most of them tell the label."""
    sentences: int | None = Field(default=None, ge=1)
    """At most so many sentences, the first ones; the number of them tells the style."""


class SimulatedRater(Record):
    """A program that grades, with stated parameters."""

    name: str = Field(pattern=r"^simulated_[a-z0-9_]+$")
    """Begins with `simulated_`, so that no table takes it for a person."""
    accuracy: float = Field(default=0.9, ge=0, le=1)
    """Chance of the right answer on a nominal scale; a wrong one is drawn evenly from the rest."""
    severity: float = 0.0
    """Categories below the true place on an ordinal scale."""
    noise: float = Field(default=0.5, ge=0)
    """SD of every single grade around the rater's own mean, in categories."""
    drift: float = 0.0
    """Severity added from the first item to the last."""
    skips: float = Field(default=0.0, ge=0, le=1)
    """Chance of leaving an item out."""
    seconds: float = Field(default=90.0, gt=0)
    """Median time an item; log-normal."""


THREE = (
    SimulatedRater(name="simulated_1", severity=-0.2),
    SimulatedRater(name="simulated_2", noise=0.6),
    SimulatedRater(name="simulated_3", severity=0.4, accuracy=0.85, drift=0.3),
)


class Criterion(Record):
    """One condition of acceptance."""

    dimension: str
    """A question of the rubric."""
    rule: Literal["majority", "unanimous", "median", "veto", "dawid_skene"]
    """
    `majority`: more than half pass; an even split goes to adjudication.
    `unanimous`: all pass; a split goes to adjudication.
    `median`: the median passes; two medians that differ in it go to adjudication.
    `veto`: a single grade that does not pass rejects.
    `dawid_skene`: the category most probable when each rater's own confusions are estimated (nominal marks).
    """
    passes: tuple[str, ...] = Field(min_length=1)
    """The categories that pass."""


class Rule(Record):
    """When a rationale is accepted. Every criterion must hold."""

    at_least: int = Field(default=2, ge=1)
    """Raters, or the verdict waits."""
    criteria: tuple[Criterion, ...] = ()
    """Empty: the rubric's own (`accept` or the last dimension by majority; a veto on the worst harm)."""


class ServerSettings(Record):
    """A Label Studio server. Tokens and passwords are read from the environment, never from the study file."""

    url: str = Field(default="", pattern=r"^$|^https?://")
    """Empty: the one that `annotate serve` starts."""
    token: str = "WHEREFORE_LABEL_STUDIO_TOKEN"
    """Name of the environment variable that holds it; the server of `annotate serve` needs none."""
    database: str = ""
    """Where the server of `annotate serve` keeps its data: `postgresql://user@host:5432/name`; empty: SQLite."""
    database_password: str = "WHEREFORE_DATABASE_PASSWORD"
    """Name of the environment variable that holds the password of that database."""


class Judge(Record):
    """A language model that grades by the same rubric, reported apart from people."""

    base_url: str
    """Of an OpenAI-compatible server."""
    model: str
    """As the server knows it."""
    key_env: str = "OPENAI_API_KEY"
    """The environment variable that holds the key."""
    parallel: int = Field(default=8, gt=0)
    """Most requests at once."""
    reask: int = Field(default=2, ge=0)
    """How often a reply that does not fit the rubric goes back with what is wrong."""
    prices: Prices | None = None
    """Of its tokens, for the price that `wherefore check` gives."""
    thinking_tokens: int | None = Field(default=None, ge=0)
    """Of a reply, for that price; None: none, unless its name is known for thinking."""
    assisted: tuple[str, ...] = ()
    """People who see the judge's grades before they give theirs: a round of its own, to measure anchoring."""

    @property
    def teacher(self) -> Part:
        """Who is asked, and how, as a part of `synth`."""
        options = {
            "name": "openai",
            "model": self.model,
            "base_url": self.base_url,
            "key_env": self.key_env,
            "temperature": 0.0,
            "structured": "json_object",
        }
        return Part.model_validate(options)


class Settings(Record):
    """How rationales are graded."""

    raters: Literal["none", "label_studio", "files", "simulated"] = "none"
    """Nobody; people on a Label Studio server; people elsewhere, by files; programs, which has to be asked for."""
    rubric: str | dict[str, Any] = "clinical"
    """A ready one, a path ending in `.toml`, or the rubric itself."""
    items: int = Field(default=60, gt=0)
    """Rationales that are graded, evenly over style, label and split; all, where there are fewer."""
    splits: tuple[Split, ...] = Field(default=("train",), min_length=1)
    """Whose rationales."""
    show_label: bool = False
    """Whether raters see what happened."""
    shown: Shown = Shown()
    """What of a rationale raters see."""
    question: str = ""
    """What the rationale is about, as the rater reads it at the top of the page; empty: as the models are asked."""
    people: tuple[Person, ...] = ()
    """Who grades, by name or with the e-mail address of the account; not used by simulated raters."""
    simulated: tuple[SimulatedRater, ...] = Field(default=THREE, min_length=1)
    """The programs that grade where `raters` is `simulated`."""
    spread: float = Field(default=0.6, ge=0)
    """SD of what simulated raters agree on beyond the faults that grounding found, in categories."""
    design: AssignmentDesign = AssignmentDesign()
    """Who grades what."""
    rounds: Rounds = Rounds()
    """Calibration before the main round, adjudication after it."""
    controls: Controls = Controls()
    """Planted items."""
    verdict: Rule = Rule()
    """When a rationale is accepted."""
    server: ServerSettings = ServerSettings()
    """Where Label Studio runs."""
    judge: Judge | None = None
    """A language model that grades beside the people."""

    @field_validator("people", mode="before")
    @classmethod
    def _a_name_will_do(cls, value: Any) -> Any:
        many = isinstance(value, list | tuple)
        return [{"name": p} if isinstance(p, str) else p for p in value] if many else value

    @model_validator(mode="after")
    def _people_differ(self) -> "Settings":
        names = self.names
        if len(set(names)) != len(names):
            raise ValueError(f"two raters are called {next(n for n in names if names.count(n) > 1)!r}")
        accounts = [p.account.casefold() for p in self.people]
        if len(set(accounts)) != len(accounts):
            twice = next(a for a in accounts if accounts.count(a) > 1)
            raise ValueError(f"two raters have the account {twice!r}; each needs one of their own")
        if self.raters in ("label_studio", "files") and not self.people:
            raise ValueError(f"people: empty, but raters = {self.raters!r}; name who grades")
        if self.design.kind == "balanced" and self.names and self.design.per_item > len(names):
            raise ValueError(f"design.per_item: {self.design.per_item} of {len(names)} raters")
        return self

    @property
    def by_people(self) -> bool:
        """Whether people grade, and not programs or nobody."""
        return self.raters in ("label_studio", "files")

    @property
    def raters_an_item(self) -> int:
        """How many grade each item of the main round."""
        n = len(self.names)
        return min(self.design.per_item, n) if self.design.kind == "balanced" else n

    @property
    def names(self) -> list[str]:
        """Who grades blind, programs or people; the adjudicator and the assisted arm are no part of it."""
        if self.raters == "simulated":
            return [r.name for r in self.simulated if r.name != self.rounds.adjudicator]
        return [p.name for p in self.people if p.name not in (self.rounds.adjudicator, *self.assisted)]

    @property
    def assisted(self) -> tuple[str, ...]:
        """Who grades with the judge's grades in view."""
        return self.judge.assisted if self.judge else ()
