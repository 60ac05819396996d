"""The verifier: it judges what the rules let pass, is asked once, is paid for, and its silence is counted."""

import json
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from wherefore.study.config import DataUse, Study
from wherefore.study.errors import PendingError, ServiceError, StaleError, StudyError
from wherefore.study.records import read_jsonl, read_table
from wherefore.study.runs import Manifest
from wherefore.synth.records import Call, Grounding, Rationale
from wherefore.synth.run import describe, resolve, run

Write = Callable[..., Path]
Start = Callable[..., Any]


def study(url: str, **more: Any) -> Study:
    teacher = {"name": "openai", "model": "checker", "base_url": url}
    verifier = {"teacher": teacher, "prices": {"prompt": 2.0, "completion": 10.0}, **more}
    synth = {"styles": ["free"], "verifier": verifier, "prices": {"prompt": 0.0, "completion": 0.0}}
    return Study(name="t", cohort={}, synth=synth)


def rows(home: Path) -> tuple[list[Rationale], list[Grounding], dict[str, Any]]:
    folder = home / "synth"
    return (
        list(read_jsonl(folder / "rationales.jsonl", Rationale)),
        list(read_jsonl(folder / "groundings.jsonl", Grounding)),
        json.loads((folder / "summary.json").read_text()),
    )


@pytest.mark.parametrize("undecided", ["verifier", "clinicians", "count"])
def test_it_reads_every_claim_and_decides_what_the_rules_leave_to_it(
    undecided: str, cohort: Write, endpoint: Start, tmp_path: Path
) -> None:
    server, plain = endpoint(), cohort(tmp_path / "plain", 120)
    teacher = {"name": "reference", "faults": 0.3}
    run(Study(name="t", cohort={}, synth={"styles": ["free"], "teacher": teacher}), plain)
    home = cohort(tmp_path / "verified", 120)
    with_verifier = study(server.url)
    run(
        with_verifier.model_copy(
            update={"synth": {**with_verifier.synth, "teacher": teacher, "undecided": undecided}}
        ),
        home,
    )
    made, found, summary = rows(home)
    assert [r.text for r in made] == [r.text for r in rows(plain)[0]]
    seen = Counter[tuple[str, bool | None, str]]()
    for rationale, grounding, by_rules in zip(made, found, rows(plain)[1], strict=True):
        for n, (claim, check, rule) in enumerate(
            zip(rationale.claims, grounding.checks, by_rules.checks, strict=True), 1
        ):
            supports = None if n == 3 else "hypertension" not in claim.text.lower()
            assert check.verifier == supports
            assert check.left_to_clinicians == (undecided == "clinicians" and check.verdict == "undecided")
            settles = rule.verdict == "supported" or (rule.verdict == "undecided" and undecided == "verifier")
            if supports is None or not settles:
                assert (check.verdict, check.fault, check.doubt) == (rule.verdict, rule.fault, rule.doubt)
            else:
                assert (check.verdict, check.fault) == (
                    ("supported", None) if supports else ("fault", "verify")
                )
            seen[rule.verdict, supports, check.verdict] += 1
    assert len({k[:2] for k in seen}) >= 8, "nearly every outcome of the rules meets every word of the model"
    said = {True: "supported", False: "objected", None: "no_word"}
    table = summary["verifier"]["table"]
    for (rule, supports, _), n in seen.items():
        assert table[rule][said[supports]] == n
    for verdict, name in (("supported", "supported"), ("fault", "faulty"), ("undecided", "undecided")):
        assert summary[f"{name}_claims"] == sum(n for k, n in seen.items() if k[2] == verdict)


def test_a_verifier_must_be_there_to_decide() -> None:
    with pytest.raises(StudyError, match=r'undecided = "verifier" needs a section \[synth\.verifier\]'):
        resolve(Study(name="t", cohort={}, synth={"undecided": "verifier"}))


def test_it_is_asked_once_for_every_rationale_and_paid_for(
    cohort: Write, endpoint: Start, tmp_path: Path
) -> None:
    server = endpoint()
    home = cohort(tmp_path, 25)
    run(study(server.url), home)
    made, _, summary = rows(home)
    assert len(server.received) == sum(server.received.values()) == len(made)
    calls = read_table(home / "synth" / "calls.parquet", Call)
    assert (calls["model"] == "checker").sum() == len(made)
    assert summary["cost"] == pytest.approx(len(made) * (500 * 2 + 40 * 10) / 1e6)
    assert not run(study(server.url), home)
    with pytest.raises(StaleError):
        run(Study(name="t", cohort={}, synth={"styles": ["free"]}), home)
    run(Study(name="t", cohort={}, synth={"styles": ["free"]}), home, again=True)
    run(study(server.url), home, again=True)
    assert sum(server.received.values()) == len(made)  # what was set aside still counts


def test_its_own_budget_stops_it_and_the_teacher_is_not_asked_again(
    cohort: Write, endpoint: Start, tmp_path: Path
) -> None:
    server = endpoint()
    home = cohort(tmp_path, 60)
    with pytest.raises(PendingError, match="verifier: the budget of"):
        run(study(server.url, job={"in_flight": 4, "budget_tokens": 10_000}), home)
    before = sum(server.received.values())
    assert 0 < before < 60
    run(study(server.url), home)
    assert sum(server.received.values()) == len(rows(home)[0])


def test_a_verifier_that_refuses_has_no_word_and_one_that_fails_ends_the_run(
    cohort: Write, endpoint: Start, tmp_path: Path
) -> None:
    server = endpoint(lambda number, key: "500")
    home = cohort(tmp_path, 12)
    with pytest.raises(ServiceError, match="status 500"):
        run(study(server.url, job={"attempts": 1}), home)
    server.behave = lambda number, key: "422" if number % 2 else "ok"
    run(study(server.url), home)
    _, found, summary = rows(home)
    silent = [g for g in found if all(c.verifier is None for c in g.checks)]
    assert 0 < len(silent) < len(found)
    assert summary["calls"]["bad_request"] == len(silent)
    no_word = sum(said["no_word"] for said in summary["verifier"]["table"].values())
    assert sum(len(g.checks) for g in silent) < no_word < summary["claims"]


def test_the_reference_teacher_cannot_judge_and_text_leaves_only_by_permission() -> None:
    with pytest.raises(StudyError, match=r"synth\.verifier\.teacher: 'reference' writes"):
        resolve(Study(name="t", cohort={}, synth={"verifier": {"teacher": {"name": "reference"}}}))
    away = study("https://models.example.org/v1")
    with pytest.raises(StudyError, match=r"models\.example\.org.*\[data_use\]"):
        resolve(away)
    leave = away.model_copy(update={"data_use": DataUse(kind="synthetic", name="made")})
    assert describe(leave, Path("nowhere")).endswith("every rationale checked by openai:checker")


@pytest.mark.parametrize(
    ("options", "more", "words"),
    [
        (
            {"model": "plain"},
            {},
            r"answer tokens \(without thinking; set thinking_tokens where the model thinks\)",
        ),
        ({"model": "gpt-5"}, {}, r"0\.\d+ M of thinking \(2000 an answer, assumed for effort medium;"),
        (
            {"model": "m", "reasoning_effort": "high", "max_tokens": 900},
            {},
            r"\(900 an answer, assumed for effort high",
        ),
        (
            {"model": "gpt-5"},
            {"thinking_tokens": 70},
            r"of thinking \(70 an answer, as thinking_tokens says\)",
        ),
    ],
)
def test_thinking_and_the_verifier_are_priced(
    cohort: Write, tmp_path: Path, options: dict[str, object], more: dict[str, object], words: str
) -> None:
    home = cohort(tmp_path, 40)
    made = Manifest(key="k", settings={}, inputs={}, outputs={}, seconds=0.0, provenance={})
    (home / "cohort" / "manifest.json").write_text(made.model_dump_json())
    prices = {"prompt": 0.0, "completion": 1e6}  # a token costs 1
    url = "http://127.0.0.1:9/v1"
    verifier = {"teacher": {"name": "openai", "model": "plain", "base_url": url}, "prices": prices}
    teacher = {"name": "openai", "base_url": url, **options}
    synth = {"teacher": teacher, "styles": ["free"], "prices": prices, "verifier": verifier, **more}
    told = describe(Study(name="t", cohort={}, synth=synth), home)
    requests = int(re.search(r"(\d+) requests", told)[1])  # type: ignore[index]
    assert re.search(words, told), told
    thinking = int((re.search(r"\((\d+) an answer", told) or ["", "0"])[1])
    costs = [float(x) for x in re.findall(r"cost about ([\d.]+)", told)]
    assert costs == [requests * (200 + thinking), requests * 200]
