"""A judge: replies in many shapes, those that do not fit the rubric, and how far it agrees with people."""

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from wherefore.annotate import judge, rubric
from wherefore.annotate.design.items import Item
from wherefore.annotate.records import Rating, Rubric
from wherefore.study import layout
from wherefore.study.config import Study
from wherefore.study.records import read_jsonl
from wherefore.synth.questions import RefusedReply
from wherefore.synth.records import Claim

CLINICAL = rubric.load(Study(name="t", seed=1, cohort={}), "clinical")
ITEM = Item(
    id="item-1",
    rationale="r",
    case="c",
    round="main",
    stratum="s",
    claims=(Claim(text="A stroke at 66.4.", cites=("E003",)), Claim(text="So the risk is raised.")),
)
WHOLE = {"accuracy": "4", "faithfulness": "3", "harm": "none", "accept": "accept"}


def values(reply: Mapping[str, Any], asked: Rubric = CLINICAL) -> dict[tuple[str, int | None], str]:
    """What counts of a reply."""
    return {(m.dimension, m.claim): m.value for m in judge.answer(ITEM, reply, asked).marks}


@pytest.mark.parametrize(
    "sentences",
    [
        [{"support": "supported"}, {"support": "partly", "fault": "invented"}],
        {"2": {"support": "partly", "fault": "invented"}, "1": {"support": "supported"}},
        [{"support": "Supported", "fault": None}, {"support": " PARTLY", "fault": "Invented"}],
        [
            {"support": "supported", "fault": "none"},
            {"support": "partly", "fault": "invented", "why": "no line"},
        ],
    ],
    ids=["as asked", "numbered", "anchors and capitals", "keys that do not apply"],
)
def test_what_a_model_means_is_read(sentences: Any) -> None:
    reply = {"sentences": sentences, "whole": WHOLE | {"accuracy": 4.0, "confidence": 0.9}}
    assert judge.unfit(ITEM, reply, CLINICAL) is None
    assert values(reply) == {
        ("support", 0): "supported",
        ("support", 1): "partly",
        ("fault", 1): "invented",
        **{(name, None): value for name, value in WHOLE.items()},
    }


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"sentences": [{"support": "supported"}]}, "support of sentence 2 has no answer"),
        ({"sentences": [{"support": "supported"}] * 3}, "support of sentence 3; there are 2 sentences"),
        ({"whole": WHOLE | {"accuracy": "9"}}, "accuracy: '9' is not one of 1, 2, 3, 4, 5"),
        ({"whole": None}, "accuracy has no answer"),
        ({"sentences": ["supported", "supported"]}, "not the JSON that was asked for"),
        ({"sentences": {"first": {}}}, "not the JSON that was asked for"),
        (
            {"sentences": [{"support": "partly"}, {"support": "supported"}]},
            "fault of sentence 1 has no answer",
        ),
    ],
)
def test_what_does_not_fit_is_said(change: dict[str, Any], why: str) -> None:
    reply = {"sentences": [{"support": "supported"}] * 2, "whole": WHOLE}
    assert judge.unfit(ITEM, reply, CLINICAL) is None
    assert why in str(judge.unfit(ITEM, reply | change, CLINICAL))


class Model(BaseHTTPRequestHandler):
    """Grades by the number of the person; a third of the items at first without a decision, one never with it."""

    conversations: list[list[dict[str, str]]]

    def do_POST(self) -> None:  # the name is the library's
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        turns = body["messages"]
        self.conversations.append(turns)
        person = int(turns[0]["content"].split("4. Person ")[1].split()[0])
        answers = {
            "accuracy": "5" if person % 2 else "2",
            "faithfulness": "4",
            "harm": "none",
            "accept": "accept",
        }
        if person % 3 == 0 and (len(turns) == 1 or person == STUBBORN[0]):
            del answers["accept"]
        text = json.dumps({"sentences": [{"support": "supported"}] * 4, "whole": answers})
        reply = {
            "choices": [{"message": {"content": text}, "finish_reason": "stop"}],
            "model": "m",
            "usage": {},
        }
        data = json.dumps(reply).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *args: Any) -> None:
        pass


STUBBORN = [-1]


@pytest.fixture
def model() -> Iterator[tuple[str, list[list[dict[str, str]]]]]:
    """An OpenAI-compatible server on this machine; its address and the conversations."""
    handler = type("Handler", (Model,), {"conversations": []})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as http:
        threading.Thread(target=http.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{http.server_address[1]}/v1", handler.conversations
        http.shutdown()


def test_a_reply_that_does_not_fit_goes_back_and_what_never_fits_is_listed(
    by_files: Any, model: tuple[str, list[list[dict[str, str]]]]
) -> None:
    url, conversations = model
    by_files.study(rubric="clinical", items=9, judge={"base_url": url, "model": "m", "parallel": 1})
    items = by_files.state.plan.items
    people = {i: int(item.case[1:]) for i, item in items.items()}
    third = sorted(i for i, p in people.items() if p % 3 == 0)
    assert third
    STUBBORN[0] = people[third[0]]
    stubborn = sorted(i for i in third if people[i] == STUBBORN[0])
    said = by_files.call("judge")
    assert f"judge: {9 - len(stubborn)} of 9 items graded" in said
    back = len(third) + len(stubborn)
    assert f"asked again: {back} unfit" in said
    for i in stubborn:
        assert f"{i}: unfit: accept has no answer" in said
    n = len(conversations)
    assert len({json.dumps(turns) for turns in conversations}) == n <= 9 + back, "nothing is asked twice"
    again = [turns for turns in conversations if len(turns) > 1]
    assert all(t[1]["role"] == "assistant" and "accept has no answer" in t[2]["content"] for t in again)
    faults = list(read_jsonl(by_files.run_folder / layout.JUDGE_FAULTS.path, RefusedReply))
    assert Counter(f.final for f in faults) == {False: back, True: len(stubborn)}
    assert "judge: " in by_files.call("judge")
    assert len(conversations) == n, "nor in another run"
    judged = list(read_jsonl(by_files.run_folder / layout.JUDGE_RATINGS.path, Rating))
    assert {r.item for r in judged} == set(items) - set(stubborn)


def test_agreement_with_people_on_the_calibration_round_and_on_the_main_one(
    by_files: Any, model: tuple[str, list[list[dict[str, str]]]]
) -> None:
    STUBBORN[0] = -1
    section = {"base_url": model[0], "model": "m"}
    by_files.study(rubric="clinical", items=8, rounds={"calibration": 12}, judge=section)
    for round in ("calibration", "main"):
        by_files.call("export", *(["--new-round"] if round == "calibration" else []))
        for rater in ("ann", "ben"):
            shift = {"calibration": 1, "main": 0}[round]
            path = by_files.exported(rater, round=round, values=_by_person(by_files, shift))
            by_files.call("import", str(path), "--rater", rater, "--round", round)
    said = by_files.call("judge")
    assert "calibration, accuracy: alpha of judge and people " in said
    early = [int(i.case[1:]) for i in by_files.state.plan.items.values() if i.round == "calibration"]
    even = sum(person % 2 == 0 for person in early) / 12
    assert 0 < even < 1
    assert f"12 units), equal {1 - even:.2f}, judge minus people {-even:+.2f} categories" in said
    assert "main, accuracy: alpha of judge and people 1.00" in said
    assert (
        "calibration, support: alpha of judge and people not defined (no interval, 48 units), equal 1.00"
        in said
    )


def _by_person(run: Any, shift: int) -> Callable[[str], dict[str, str]]:
    """The judge's answers with another accuracy, a category higher for some at calibration."""
    people = {i: int(item.case[1:]) for i, item in run.state.plan.items.items()}

    def of(item: str) -> dict[str, str]:
        accuracy = {1: "5", 0: "2"}[people[item] % 2]
        moved = {"5": "5", "2": "3"}[accuracy] if shift else accuracy
        return {"accuracy": moved, "faithfulness": "4", "harm": "none", "accept": "accept"}

    return of
