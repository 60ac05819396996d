"""The commands: by files, by a server, and one line for whatever is wrong."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files as resources
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from wherefore.annotate import judge, rounds, simulated
from wherefore.annotate.label_studio import accounts, forms, install, server
from wherefore.annotate.records import RaterProgress, Rating, Verdict
from wherefore.annotate.run import resolve
from wherefore.annotate.settings import SimulatedRater
from wherefore.cli.main import main
from wherefore.study.config import load
from wherefore.study.errors import BusyError
from wherefore.study.records import read_jsonl

QUICK = (resources("wherefore.examples") / "quick.toml").read_text()


@pytest.fixture
def file(graded: Path) -> Callable[..., Path]:
    """A whole study file with this section `[annotate]`; its run folder holds hand-written rationales."""
    graded.rename(graded.with_name("quick"))

    def make(section: str) -> Path:
        before, _, _ = QUICK.partition("[annotate]")
        path = graded.parent.parent / "study.toml"
        path.write_text(f"{before}[annotate]\n{section}\n")
        return path

    return make


def call(command: str, study: Path, *more: str, code: int = 0) -> str:
    """Run `wherefore annotate <command>`; standard output and error."""
    done = CliRunner().invoke(
        main, ["annotate", command, str(study), *more, "--runs", str(study.parent / "runs")]
    )
    assert done.exit_code == code, done.output + str(done.exception)
    if code:
        assert done.output.count("\n") == 1, done.output
    return done.output


def exported(
    study: Path, rater: str, folder: Path, parameters: SimulatedRater, account: int, round: str = "main"
) -> Path:
    """A rater's grades as Label Studio would export them."""
    s = load(study)
    state = rounds.people(s, resolve(s), study.parent / "runs" / "quick")
    p = state.plan
    given = simulated.answers(
        parameters.model_copy(update={"name": rater}), p.of_round(round), p.items, p.faulty, p.rubric, 0.6, 7
    )
    tasks = json.loads((folder / f"{round}-{rater}" / "tasks.json").read_text())
    by = {t["data"]["item"]: t for t in tasks}
    # What a person's own server would say: its own numbers and names for everything.
    unique = f"{rater} {round} {{}}"
    rows = [
        {
            **by[a.item],
            "id": 100 + n,
            "annotations": [
                {
                    "id": n,
                    "unique_id": unique.format(a.item),
                    "completed_by": account,
                    "result": forms.write(a),
                    "lead_time": a.seconds,
                    "was_cancelled": False,
                    "updated_at": f"2026-11-22T10:{n:02d}:00Z",
                }
            ],
        }
        for n, a in enumerate(given)
    ]
    path = folder / f"{rater}.json"
    path.write_text(json.dumps(rows))
    return path


FILES = 'raters = "files"\nrubric = "short"\nitems = 20\npeople = ["ann", "ben"]'


def test_by_files_from_export_to_verdicts(file: Callable[..., Path], tmp_path: Path) -> None:
    study, to = file(FILES), tmp_path / "out"
    said = call("export", study, "--to", str(to))
    assert said.count("make a project with config.xml and import tasks.json") == 2
    assert call("run", study, code=3).startswith("wherefore: ")
    ann = exported(study, "ann", to, SimulatedRater(name="simulated_a"), 3)
    ben = exported(study, "ben", to, SimulatedRater(name="simulated_b", severity=0.5), 9)
    assert "main ann: 20 forms here" in call("import", study, str(ann), "--rater", "ann")
    assert "the main round is waiting for raters: ann 20/20, ben 0/20." in call("run", study, code=3)
    so_far = study.parent / "runs" / "quick" / "annotate"
    assert [(p.rater, p.done) for p in read_jsonl(so_far / "progress.jsonl", RaterProgress)] == [
        ("ann", 20),
        ("ben", 0),
    ]
    assert {r.rater for r in read_jsonl(so_far / "ratings.jsonl", Rating)} == {"ann"}, (
        "the report shows these"
    )
    call("import", study, str(ben), "--rater", "ben")
    status = json.loads(call("status", study, "--json"))
    assert status["due"] is None
    assert [(r["rater"], r["done"], r["total"], r["per_hour"]) for r in status["raters"]] == [
        ("ann", 20, 20, 60.0),
        ("ben", 20, 20, 60.0),
    ]
    assert {a["dimension"] for a in status["agreement"]} == {"sound", "harm"}
    call("run", study)
    folder = study.parent / "runs" / "quick" / "annotate"
    assert len(list(read_jsonl(folder / "ratings.jsonl", Rating))) == 2 * 20 * 2
    assert len(list(read_jsonl(folder / "verdicts.jsonl", Verdict))) == 20
    assert "complete, verdicts included" in call("import", study, str(ben), "--rater", "ben", code=1)
    call("status", study)


def test_a_file_that_is_not_the_raters_export_is_one_line(file: Callable[..., Path], tmp_path: Path) -> None:
    study, to = file(FILES), tmp_path / "out"
    call("export", study, "--to", str(to))
    good = json.loads(exported(study, "ann", to, SimulatedRater(name="simulated_a"), 3).read_text())
    two = [dict(t, annotations=[dict(t["annotations"][0], completed_by=n)]) for n, t in enumerate(good[:2])]
    other = [dict(good[0], data={**good[0]["data"], "item": "item-000000000000"})]
    for content, line in (
        ("{", "not JSON"),
        ('{"a": 1}', "not a list of tasks with annotations"),
        (json.dumps([{"sound": "yes"}]), "not a list of tasks with annotations"),
        (json.dumps(two), "graded by 2 accounts (account 0, account 1)"),
        (json.dumps(other), "item-000000000000 is not a task of ann in round 'main'"),
    ):
        path = tmp_path / "bad.json"
        path.write_text(content)
        assert line in call("import", study, str(path), "--rater", "ann", code=1)
    assert "no such" not in call("import", study, str(tmp_path / "none.json"), "--rater", "ann", code=1)
    assert "zoe has no task in round 'main'" in call("import", study, str(path), "--rater", "zoe", code=1)
    assert not (study.parent / "runs" / "quick" / "annotate" / "pulled").exists(), "nothing was written"


ROUNDS = (
    'raters = "files"\nitems = 20\npeople = ["ann", "ben", "zoe"]\n'
    'rounds = { calibration = 12, gate = "accuracy", gate_alpha = 0.5, adjudicator = "zoe" }'
)
CAREFUL, CARELESS = (
    SimulatedRater(name="simulated_a", noise=0.05),
    SimulatedRater(name="simulated_b", noise=4.0),
)


def test_calibration_gate_main_round_and_adjudication(file: Callable[..., Path], tmp_path: Path) -> None:
    study, to = file(ROUNDS), tmp_path / "out"

    def grade(rater: str, how: SimulatedRater, round: str) -> str:
        path = exported(study, rater, to, how, 3, round)
        return call("import", study, str(path), "--rater", rater, "--round", round)

    assert call("export", study, "--to", str(to)).count("calibration-") == 2
    grade("ann", CAREFUL, "calibration")
    grade("ben", CARELESS, "calibration")
    said = call("export", study, "--to", str(to), code=3)
    assert re.search(r"alpha of accuracy on the calibration round is -?0\.\d\d; 0.5 is required", said)
    assert "--past-gate" in said
    assert not (to / "main-ann").exists()
    assert "main-ann" in call("export", study, "--to", str(tmp_path / "past"), "--past-gate")
    grade("ben", CAREFUL, "calibration")
    assert call("export", study, "--to", str(to)).count("main-") == 2, "they agree now"
    grade("ann", CAREFUL, "main")
    grade("ben", SimulatedRater(name="simulated_b", accuracy=0.3), "main")
    assert "adjudication-zoe" in call("export", study, "--to", str(to))
    tasks = json.loads((to / "adjudication-zoe" / "tasks.json").read_text())
    assert 0 < len(tasks) < 20, "what they agree about is decided"
    for task in tasks:
        assert "You decide: no consensus: accept." in task["data"]["timeline"]
        assert {"Rater A", "Rater B"} == set(re.findall(r"Rater \w", task["data"]["timeline"]))
        assert not re.search("ann|ben|simulated", task["data"]["timeline"])
    assert "the adjudication round is waiting for raters: zoe 0/" in call("run", study, code=3)
    grade("zoe", CAREFUL, "adjudication")
    call("run", study)
    found = list(read_jsonl(study.parent / "runs" / "quick" / "annotate" / "verdicts.jsonl", Verdict))
    assert len(found) == 20, "items of the calibration round get no verdict"
    assert {v.rationale for v in found if v.adjudicator} == {
        v.rationale for v in found if "adjudicated" in v.why
    }
    assert sum(v.adjudicator == "zoe" for v in found) == len(tasks)
    assert {v.state for v in found} <= {"accepted", "rejected"}


SERVED = 'raters = "label_studio"\nrubric = "short"\nitems = 6\npeople = ["ann", "ben"]'


def test_no_server_no_token_no_answer(file: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    assert "no server yet. Run `wherefore annotate serve`" in call("push", file(SERVED), code=1)
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        closed = f"http://127.0.0.1:{s.getsockname()[1]}"
    study = file(f'{SERVED}\nserver = {{ url = "{closed}" }}')
    monkeypatch.delenv("WHEREFORE_LABEL_STUDIO_TOKEN", raising=False)
    assert "WHEREFORE_LABEL_STUDIO_TOKEN: not set. Put your token of" in call("push", study, code=1)
    monkeypatch.setenv("WHEREFORE_LABEL_STUDIO_TOKEN", "a" * 40)
    said = call("push", study, code=1)
    assert said.startswith(f"wherefore: {closed}: cannot be reached")
    assert "wherefore annotate serve" in said


def test_text_leaves_the_machine_only_by_leave(file: Callable[..., Path]) -> None:
    study = file(f'{SERVED}\nserver = {{ url = "https://ls.example.org" }}')
    text = study.read_text()
    study.write_text("\n".join(line for line in text.splitlines() if not line.startswith("data_use")))
    assert "annotate.server.url: https://ls.example.org is not on this machine" in call("push", study, code=1)


def test_programs_are_not_waited_for(file: Callable[..., Path]) -> None:
    assert "annotate.raters is 'simulated'" in call("push", file('raters = "simulated"'), code=1)


def test_a_taken_port_is_refused(tmp_path: Path) -> None:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        s.listen()
        port = s.getsockname()[1]
        with pytest.raises(BusyError, match=f"port {port} is taken"), server.serving(tmp_path / "ls", port):
            pass
    assert not (tmp_path / "ls").exists()


def test_the_planner_knows_the_published_trial(file: Callable[..., Path]) -> None:
    """Three raters, alpha 0.6, half-width 0.10, five even categories: 105 items in a trial with 600 simulations."""
    plans = json.loads(call("plan", file('rubric = "clinical"'), "--json", "--minutes", "4"))["plans"]
    three = next(p for p in plans if p["raters"] == 3)
    assert 95 <= three["items"] <= 115
    assert three["hours"] == pytest.approx(three["items"] * 3 * 4 / 60)


class Judge(BaseHTTPRequestHandler):
    """Grades everything good but the third sentence; every fourth request is refused once with 429."""

    asked: list[str]

    def do_POST(self) -> None:  # the name is the library's
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.asked.append(body["messages"][0]["content"])
        busy = len(self.asked) % 4 == 0
        sentences = [
            {"support": "supported"},
            {"support": "supported"},
            {"support": "contradicted", "fault": "wrong_value"},
            {"support": "inference"},
        ]
        whole = {"accuracy": "4", "faithfulness": "3", "harm": "none", "accept": "edit"}
        reply = {
            "choices": [
                {
                    "message": {"content": json.dumps({"sentences": sentences, "whole": whole})},
                    "finish_reason": "stop",
                }
            ],
            "model": "m",
            "usage": {},
        }
        data = json.dumps({"error": {"message": "slow down"}} if busy else reply).encode()
        self.send_response(429 if busy else 200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        if busy:
            self.send_header("Retry-After", "0")
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture
def judging() -> Iterator[tuple[str, list[str]]]:
    """An OpenAI-compatible server on this machine; its address and what it was asked."""
    handler = type("Handler", (Judge,), {"asked": []})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as http:
        threading.Thread(target=http.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{http.server_address[1]}/v1", handler.asked
        http.shutdown()


def test_a_judge_is_asked_once_and_stays_apart(
    file: Callable[..., Path], judging: tuple[str, list[str]]
) -> None:
    url, asked = judging
    section = (
        f'raters = "files"\nitems = 5\npeople = ["ann", "ben", "carla"]\n'
        f'judge = {{ base_url = "{url}", model = "m", parallel = 2, assisted = ["carla"] }}'
    )
    study = file(section)
    call("export", study)
    assert "judge: 5 of 5 items graded" in call("judge", study)
    n = len(asked)
    call("judge", study)
    assert len(asked) == n, "nothing is asked twice"
    other = file(section.replace('"m"', '"m2"'))
    assert "judge: 5 of 5 items graded" in call("judge", other)
    both = len(asked)
    assert both >= n + 5, "another model is another judge"
    study = file(section)
    call("judge", study)
    assert len(asked) == both, "and what the first one said is still there"
    assert all("[E003] age 66.4" in text and "4. Person" in text for text in asked)
    s = load(study)
    state = rounds.people(s, resolve(s), study.parent / "runs" / "quick")
    folder = study.parent / "runs" / "quick" / "annotate"
    judged = judge.ratings(state.plan, judge.answers(folder))
    assert list(read_jsonl(folder / "judge_ratings.jsonl", Rating)) == judged, "for the report"
    assert {r.simulated for r in judged} == {True}
    assert {(r.round, r.rater) for r in judged} == {("judge", "judge")}
    assert state.got.ratings == (), "no grade of the judge is among people's"
    assert {t.rater for t in state.plan.of_round("main")} == {"ann", "ben"}
    assert {t.rater for t in state.plan.of_round("assisted")} == {"carla"}
    for task in json.loads((study.parent / "runs/quick/annotate_files/main-ann/tasks.json").read_text()):
        assert "predictions" not in task, "blind"


@pytest.mark.service
def test_serve_hands_out_and_pull_brings_back(file: Callable[..., Path], label_studio: Any) -> None:
    study = file(SERVED)
    home = study.parent / "runs" / "quick"
    template = install.environment().parent.parent.with_name(f"label-studio-{install.VERSION}-tests")
    shutil.copytree(template, home / "label_studio")
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    args = ["annotate", "serve", str(study), "--runs", str(study.parent / "runs"), "--port", str(port)]
    child = subprocess.Popen(
        [sys.executable, "-u", "-m", "wherefore", *args],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
    )
    try:
        assert child.stdout is not None
        lines = []
        for line in child.stdout:
            lines.append(line)
            if line.startswith("Serving."):
                break
        links = [re.search(r"main (\w+): (http\S+) \(sign in as (\S+), password (\S+)\)", x) for x in lines]
        found = {m[1]: m for m in links if m}
        assert sorted(found) == ["ann", "ben"]
        state = server.known(home / "label_studio")
        assert state is not None
        with accounts.signed_in(state.url, found["ann"][3], found["ann"][4]) as http:
            assert http.get("/api/current-user/whoami").json()["email"] == "ann@raters.example.com"
        assert (home / "label_studio").stat().st_mode & 0o077 == 0
        assert "main ann: project" in call("push", study)
        assert "main ann: 0 read, 0 forms here" in call("pull", study)
        assert "0/6" in call("status", study)
    finally:
        child.send_signal(signal.SIGTERM)
        out, err = child.communicate(timeout=60)
    assert child.returncode == 0, out + err
    assert "stopped; the grades are kept" in out


@pytest.mark.service
def test_serve_goes_on_while_the_gate_is_shut(
    file: Callable[..., Path], label_studio: Any, tmp_path: Path
) -> None:
    """A server that stopped at the gate could never be told to hand out past it."""
    study = file(ROUNDS.replace('"files"', '"label_studio"'))
    template = install.environment().parent.parent.with_name(f"label-studio-{install.VERSION}-tests")
    shutil.copytree(template, study.parent / "runs" / "quick" / "label_studio")
    call("export", study, "--to", str(tmp_path))
    for rater, how in (("ann", CAREFUL), ("ben", CARELESS)):
        path = exported(study, rater, tmp_path, how, 3, "calibration")
        call("import", study, str(path), "--rater", rater, "--round", "calibration")
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = str(s.getsockname()[1])
    shut = call("serve", study, "--port", port, "--hours", "0.0001")
    assert "alpha of accuracy on the calibration round is" in shut
    assert "Serving." in shut
    assert "main ann" not in shut
    past = call("serve", study, "--port", port, "--hours", "0.0001", "--past-gate")
    assert re.search(r"^main ann: project \d+, 20 added", past, re.MULTILINE)
    assert re.search(r"^main ben: http\S+ \(sign in as ben@", past, re.MULTILINE)


@pytest.mark.service
def test_the_assisted_arm_sees_the_judge_and_the_blind_arm_does_not(
    label_studio: Any, file: Callable[..., Path], judging: tuple[str, list[str]]
) -> None:
    from wherefore.annotate.label_studio.ledger import read as ledger
    from wherefore.annotate.label_studio.pull import pull
    from wherefore.annotate.label_studio.push import Context, push
    from wherefore.study.config import Study

    s = Study(
        name="tassisted",
        seed=3,
        cohort={},
        annotate={
            "raters": "label_studio",
            "items": 4,
            "people": ["ann", "ben"],
            "verdict": {"at_least": 1},
            "judge": {"base_url": "http://127.0.0.1:1/v1", "model": "m", "assisted": ["ben"]},
        },
    )
    home = file("").parent / "runs" / "quick"
    state = rounds.people(s, resolve(s), home)
    folder, items = home / "annotate", state.plan.items
    reply = {
        "sentences": [{"support": "supported"}] * 4,
        "whole": {"accuracy": "2", "faithfulness": "2", "harm": "none", "accept": "reject"},
    }
    given = {i: judge.answer(item, reply, state.plan.rubric) for i, item in items.items()}
    push(state.plan, label_studio.admin, folder, "main")
    push(
        state.plan,
        label_studio.admin,
        folder,
        "assisted",
        Context(filled_in={i: judge.prediction(a) for i, a in given.items()}),
    )
    led = ledger(folder)
    for round, rater, accuracy in (("main", "ann", "5"), ("assisted", "ben", "2")):
        place = led.at(round, rater)
        assert place is not None
        tasks = (
            label_studio.session(rater).get(f"/api/tasks?project={place.project}&fields=all").json()["tasks"]
        )
        assert [len(t["predictions"]) for t in tasks] == [round == "assisted"] * 4
        project = label_studio.session(rater).get(f"/api/projects/{place.project}/").json()
        assert project["show_collab_predictions"] is (round == "assisted")
        for t in tasks:
            a = given[t["data"]["item"]]
            marks = tuple(
                m.model_copy(update={"value": accuracy}) if m.dimension == "accuracy" else m for m in a.marks
            )
            label_studio.submit(rater, t["id"], forms.write(a.model_copy(update={"marks": marks})))
    pull(state.plan, label_studio.admin, folder)
    state = rounds.people(s, resolve(s), home)
    found = {a.dimension: a for a in judge.anchoring(state, given)}
    assert (found["accuracy"].blind, found["accuracy"].assisted, found["accuracy"].difference) == (
        0.0,
        1.0,
        1.0,
    )
    assert found["harm"].difference == 0.0
    assert {v.n_raters for v in state.verdicts()} == {1}, "assisted grades decide nothing"
