"""What the synth stage gives to the others: prompts, calls, rationales, their grounding, refusals."""

from typing import Literal

from pydantic import Field, model_validator

from ..study.records import Record


class Message(Record):
    """One turn of a conversation with a teacher."""

    role: Literal["system", "user", "assistant"]
    content: str


class Prompt(Record):
    """What a teacher is asked about one case in one style."""

    case: str
    style: str
    sample: int = 0
    messages: tuple[Message, ...]
    template: str
    """Content hash of the template file; a changed prompt is another prompt."""


Kind = Literal["finding", "absence", "knowledge", "judgement"]
"""Of a claim: what the history says; what it does not record; general knowledge; a weighing of it all."""


class Claim(Record):
    """One sentence of a rationale and the evidence that it cites."""

    text: str = Field(min_length=1)
    """Without the citations, which stand in `cites`."""
    cites: tuple[str, ...] = ()
    section: str = ""
    """The step it belongs to, for styles that have steps."""
    kind: Kind | None = None
    """As the teacher calls it; None where it does not say. The check finds out for itself (`Check.kind`)."""


class Rationale(Record):
    """A teacher's reasoned answer for one case."""

    id: str
    case: str
    style: str
    sample: int = 0
    teacher: str
    """Part and model, as it may stand in a report: `reference`, `openai:gpt-5`."""
    claims: tuple[Claim, ...] = Field(min_length=1)
    verdict: int | None = Field(ge=0, le=1, default=None)
    """The label that the rationale argues for; None where a teacher who was shown the true one does not repeat it."""
    unread: int = Field(ge=0, default=0)
    """Further claims of the answer that were left out: without a readable sentence, the prompt's own, or repeated."""
    label_shown: bool
    """Whether the teacher was told the outcome of this case, before it wrote or after a draft."""
    risk_told: float | None = Field(ge=0, le=1, default=None)
    """Probability of the outcome that the teacher was told instead."""
    draft_verdict: int | None = Field(ge=0, le=1, default=None)
    """What the teacher concluded in its draft, before it was told; None where there was no draft, or no verdict."""
    key: str
    """Of the request in the ledger that answered."""

    @property
    def text(self) -> str:
        """As a student is taught it: sections on lines of their own, citations behind each claim."""
        out: list[str] = []
        section = ""
        for claim in self.claims:
            if claim.section != section:
                section = claim.section
                out.append(("\n" if out else "") + f"{section}:")
            out.append(claim.text + (f" [{', '.join(claim.cites)}]" if claim.cites else ""))
        return " ".join(out).replace(" \n", "\n")


class Check(Record):
    """What grounding found about one claim."""

    claim: int
    verdict: Literal["supported", "fault", "undecided"]
    """`fault`: the evidence contradicts the claim or lacks what it says; `undecided`: rules could not tell."""
    fault: str | None = None
    """A name in `FAULTS` of `synth/grounding/outcomes.py` where the verdict is `fault`, else None."""
    doubt: str | None = None
    """Why it is undecided: a name in `DOUBTS` of the same file; None where it is decided."""
    why: str = ""
    """One line: what the claim says and what the evidence says."""
    kind: Kind = "finding"
    """What the claim is, whatever the teacher calls it."""
    facts: int = Field(ge=0, default=0)
    """Facts of the record that were checked and hold: names, ages, times, counts, values, orders, absences."""
    rules: Literal["supported", "fault", "undecided"] | None = None
    """The verdict of the rules where a verifier has changed it; None where it stands."""
    verifier: bool | None = None
    """What a language model said of it, where the study has one; None where it gave no word."""
    left_to_clinicians: bool = False
    """Undecided, and the study leaves it to clinicians: it is not taught before a verdict accepts the rationale."""

    @model_validator(mode="after")
    def _one_outcome(self) -> "Check":
        expected = (self.verdict == "fault", self.verdict == "undecided")
        if expected != (self.fault is not None, self.doubt is not None):
            raise ValueError("a fault is named where the verdict is `fault`, a doubt where it is `undecided`")
        return self


class Grounding(Record):
    """The check of every claim of one rationale."""

    rationale: str
    checks: tuple[Check, ...]

    def count(self, verdict: str) -> int:
        """Claims with this verdict."""
        return sum(c.verdict == verdict for c in self.checks)

    @property
    def facts(self) -> int:
        """Facts of the record that were checked and hold, over all claims."""
        return sum(c.facts for c in self.checks)

    @property
    def support(self) -> float | None:
        """Share of the decided claims that the evidence supports, in [0, 1]; None where none was decided."""
        decided = self.count("supported") + self.count("fault")
        return self.count("supported") / decided if decided else None


class Refusal(Record):
    """A case and style without a rationale, and why."""

    case: str
    style: str
    sample: int = 0
    reason: str
    """One of a few short names: `not_json`, `refused`, `length`, `gave_up`, ..."""
    detail: str = ""
    key: str | None = None


class Call(Record):
    """One request to a teacher, as accounted for."""

    key: str
    attempt: int
    status: str
    """`ok`, or the kind of fault."""
    model: str = ""
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    seconds: float | None = None
    cost: float | None = None
    """In the currency of the price table; None where no price was given."""


class Planted(Record):
    """A fault that the reference teacher put into a claim on purpose: the answer key of the grounding check."""

    rationale: str
    claim: int
    fault: str
    """A name in the table of `synth/reference/faults.py`, which are those of the grounding check."""
