"""The grounding check on sentences written by hand, in words that the reference teacher does not use."""

import pytest

from wherefore.cohort.records import Case, Evidence
from wherefore.synth.faults import FAULTS
from wherefore.synth.grounding import CHECKS, Facts, ground
from wherefore.synth.records import Claim, Rationale
from wherefore.synth.teaching import History


def line(
    id: str, name: str, age: float, code: str, count: int = 1, shown: bool = True, **more: object
) -> Evidence:
    return Evidence.model_validate(
        {
            "case": "c", "id": id, "kind": "condition", "age": age, "years_before": round(76.0 - age, 1),
            "code": code, "system": "ICD10", "name": name, "count": count, "shown": shown, "line": f"[{id}] {name}",
            "source": "test", **more,
        }
    )  # fmt: skip


LINES = (
    line("E001", "Essential (primary) hypertension", 52.3, "I10"),
    line("E002", "Type 2 diabetes mellitus", 58.0, "E11", count=4),
    line("E003", "Cerebral infarction", 66.4, "I63"),
    line("E004", "Senile cataract", 70.2, "H25"),
    line("E005", "Hearing loss", 71.9, "H91", shown=False),
    line("E006", "Systolic blood pressure", 75.6, "8480-6", kind="measurement", value=162.0, unit="mmHg"),
)
CASE = Case(
    id="c", subject="s", split="train", age=76.0, sex="female", day=27759, label=1, outcome="onset",
    followup_years=3, weight=1, timeline="\n".join(e.line for e in LINES if e.shown), n_shown=5, n_total=6,
)  # fmt: skip


def fault(text: str, *cites: str) -> str | None:
    rationale = Rationale(
        id="r",
        case="c",
        style="free",
        teacher="t",
        claims=(Claim(text=text, cites=cites),),
        label_shown=True,
        key="k",
    )
    return ground(rationale, Facts(History(CASE, LINES))).checks[0].fault


@pytest.mark.parametrize(
    ("text", "cites"),
    [
        ("She had a stroke at 66.", ("E003",)),
        ("Her stroke roughly ten years ago damaged brain vessels.", ("E003",)),
        ("Blood pressure was 162 mmHg shortly before.", ("E006",)),
        ("Diabetes, coded 4 times since age 58.0, exposes small vessels to injury.", ("E002",)),
        ("Type 2 diabetes and high blood pressure together strain the vessels.", ("E001", "E002")),
        ("Hypertension (age 52.3) came before the stroke (age 66.4).", ("E001", "E003")),
        ("The stroke at 66.4 followed hypertension at 52.3.", ("E001", "E003")),
        ("She is 76 years old.", ()),
        ("There is no depression and no head injury on record.", ()),
        ("No atrial fibrillation was noted, which lowers the risk of further stroke.", ("E003",)),
        ("Taken together this is a high-risk profile for the next 5 years.", ("E001", "E002", "E003")),
        ("Cataracts are common and add little.", ("E004",)),
    ],
)
def test_true_sentences_pass(text: str, cites: tuple[str, ...]) -> None:
    assert fault(text, *cites) is None


@pytest.mark.parametrize(
    ("kind", "text", "cites"),
    [
        ("unknown_id", "She had a stroke at 66.", ("E044",)),
        ("not_shown", "Her hearing is impaired.", ("E005",)),
        ("uncited", "She had a stroke at 66.", ()),
        ("uncited", "Untreated sleep apnoea is likely.", ()),
        ("wrong_name", "She had a stroke.", ("E004",)),
        ("wrong_name", "Long-standing depression is documented.", ("E001",)),
        ("wrong_name", "Type 2 diabetes and a stroke are recorded.", ("E002",)),
        ("wrong_age", "Hypertension was diagnosed at age 47.", ("E001",)),
        ("wrong_age", "Hypertension began at age 66.4 and the stroke came at age 52.3.", ("E001", "E003")),
        ("wrong_time", "The stroke happened 3.2 years before the prediction.", ("E003",)),
        ("wrong_count", "Diabetes was coded 9 times.", ("E002",)),
        ("wrong_value", "Systolic blood pressure was 185 mmHg.", ("E006",)),
        ("wrong_unit", "Systolic blood pressure was 162 mmol/L.", ("E006",)),
        ("wrong_order", "The stroke preceded hypertension.", ("E001", "E003")),
        ("contradiction", "She has never had a stroke.", ("E003",)),
        ("contradiction", "There is no diabetes in the record.", ()),
        ("unsupported_number", "Diabetes raises her risk by 60 %.", ("E002",)),
        ("future", "The stroke was followed by dementia, which was diagnosed at age 79.", ("E003",)),
        ("future", "After her stroke she later developed dementia.", ("E003",)),
    ],
)
def test_false_sentences_are_named(kind: str, text: str, cites: tuple[str, ...]) -> None:
    assert fault(text, *cites) == kind


def test_every_planted_kind_is_one_that_the_check_can_name() -> None:
    assert set(FAULTS) == set(CHECKS)


def test_the_reason_says_what_is_claimed_and_what_is_known() -> None:
    rationale = Rationale(
        id="r", case="c", style="free", teacher="t", label_shown=True, key="k",
        claims=(Claim(text="Hypertension was diagnosed at age 47.", cites=("E001",)),),
    )  # fmt: skip
    check = ground(rationale, Facts(History(CASE, LINES))).checks[0]
    assert check.why == "says age 47; the evidence says 52.3"
