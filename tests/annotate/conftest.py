"""A small cohort and its rationales, written by hand: enough for every part of the annotate stage."""

import contextlib
import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner

from wherefore.annotate import rounds
from wherefore.annotate.graded import GradedForm, Mark, Text
from wherefore.annotate.label_studio import forms, install, ledger
from wherefore.annotate.label_studio import server as server_
from wherefore.annotate.label_studio.client import Server
from wherefore.annotate.run import resolve
from wherefore.annotate.web import links, sign
from wherefore.annotate.web.app import application
from wherefore.annotate.web.front import listening
from wherefore.annotate.web.office import Office
from wherefore.cli.main import main
from wherefore.cohort.records import Case, Evidence
from wherefore.study.config import Study, load
from wherefore.study.records import digest, to_frame, write_jsonl, write_table, write_text
from wherefore.study.runs import Manifest
from wherefore.synth.records import Check, Claim, Grounding, Rationale

QUICK = (files("wherefore.examples") / "quick.toml").read_text()
LINES = (
    ("E001", 61.2, 8.8, "Hypertension"),
    ("E002", 64.0, 6.0, "Type 2 diabetes"),
    ("E003", 66.4, 3.6, "Stroke"),
    ("E004", 69.1, 0.9, "Memory complaint <MMSE 24/30 & falling>"),
)


def case(i: int) -> Case:
    """A case with four evidence lines; every third one has the outcome."""
    label = int(i % 3 == 0)
    shown = "\n".join(f"[{e}] age {a} ({b} y before): {name}" for e, a, b, name in LINES)
    return Case(
        id=f"c{i:03d}",
        subject=f"p{i:03d}",
        split="train" if i % 5 else "held_out",
        age=70.0,
        sex="female" if i % 2 else "male",
        day=25567,
        label=label,
        outcome="onset" if label else "event_free",
        followup_years=5.0,
        weight=1.0,
        timeline=f"Female, 70 years.\n{shown}\nSubject record {i}.",
        n_shown=4,
        n_total=4,
    )


def evidence(i: int) -> list[Evidence]:
    """The lines of a case's timeline."""
    return [
        Evidence(
            case=f"c{i:03d}",
            id=e,
            kind="condition",
            age=age,
            years_before=before,
            code="x",
            system="ICD10",
            name=name,
            shown=True,
            line=f"[{e}] age {age} ({before} y before): {name}",
            source="conftest",
        )
        for e, age, before, name in LINES
    ]


def rationale(i: int, style: str) -> Rationale:
    """Three cited claims and an uncited conclusion."""
    return Rationale(
        id=f"r{i:03d}-{style}",
        case=f"c{i:03d}",
        style=style,
        teacher="reference",
        claims=(
            Claim(text="She has had hypertension since age 61.2.", cites=("E001",)),
            Claim(text="Diabetes followed at age 64.0, 6.0 years before.", cites=("E002",)),
            Claim(text="A stroke at 66.4 adds vascular risk.", cites=("E003", "E002")),
            Claim(text=f"Person {i} is therefore at raised risk of dementia."),
        ),
        verdict=int(i % 3 == 0),
        label_shown=True,
        key=f"k{i}",
    )


def grounding(i: int, style: str) -> Grounding:
    """Every fourth rationale has one wrong value."""
    bad = 1 if i % 4 == 0 else None
    checks = [
        Check(claim=k, verdict="fault", fault="wrong_value")
        if k == bad
        else Check(claim=k, verdict="supported", facts=1)
        for k in range(4)
    ]
    return Grounding(rationale=f"r{i:03d}-{style}", checks=tuple(checks))


def written(home: Path, n: int = 60) -> Path:
    """A run folder with cohort/ and synth/ of `n` cases in two styles."""
    (home / "synth").mkdir(parents=True)
    write_table(home / "cohort" / "cases.parquet", to_frame([case(i) for i in range(n)], Case), Case)
    rows = [line for i in range(n) for line in evidence(i)]
    write_table(home / "cohort" / "evidence.parquet", to_frame(rows, Evidence), Evidence)
    pairs = [(i, style) for i in range(n) for style in ("free", "stepwise")]
    write_jsonl(home / "synth" / "rationales.jsonl", [rationale(*p) for p in pairs])
    write_jsonl(home / "synth" / "groundings.jsonl", [grounding(*p) for p in pairs])
    finished = Manifest(key="", settings={}, inputs={}, outputs={}, seconds=1.0, provenance={})
    for stage in ("cohort", "synth"):
        write_text(home / stage / "manifest.json", finished.model_dump_json())
    return home


@pytest.fixture
def graded(tmp_path: Path) -> Path:
    """A run folder whose rationales wait to be graded."""
    return written(tmp_path / "runs" / "t")


@pytest.fixture
def graded_home(graded: Path) -> Path:
    """The same, for modules that have a function `graded` of their own."""
    return graded


@pytest.fixture
def many(tmp_path: Path) -> Path:
    """As `graded`, with more than 120 rationales for the raters."""
    return written(tmp_path / "runs" / "many", 80)


@pytest.fixture
def study(request: pytest.FixtureRequest) -> Callable[..., Study]:
    """A study with this section `[annotate]`, graded by programs unless it says otherwise.

    It is named by the test, because all tests share one server.
    """
    name = f"t{digest(request.node.nodeid)}"

    def make(**annotate: Any) -> Study:
        return Study(name=name, seed=7, cohort={}, annotate={"raters": "simulated", **annotate})

    return make


RATERS = ("ann", "ben", "carla", "dora")


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


@dataclass
class LabelStudio:
    """The running server, and ways to act on it as one of the raters would."""

    folder: Path
    state: server_.OwnServer

    def __post_init__(self) -> None:
        self.admin = Server(self.state.url, self.state.token)
        self._raters: dict[str, httpx.Client] = {}

    def session(self, rater: str) -> httpx.Client:
        """HTTP with the rater's own token."""
        if rater not in self._raters:
            token = server_.token(self.state, f"{rater}@raters.example.com")
            self._raters[rater] = httpx.Client(
                base_url=self.state.url,
                headers={"Authorization": f"Token {token}"},
                timeout=120,
                trust_env=False,
            )
        return self._raters[rater]

    def sign_up(self, name: str) -> None:
        """One more account."""
        server_.account(self.folder, self.state, f"{name}@raters.example.com")

    def rename(self, email: str, new: str) -> None:
        """Give an account another address, as an administrator does in the server's database."""
        with contextlib.closing(sqlite3.connect(self.folder / "label_studio.sqlite3", timeout=60)) as db:
            db.execute("UPDATE htx_user SET email = ? WHERE email = ?", (new, email))
            db.commit()

    def backdate(self, task: int) -> None:
        """Have a task changed two hours ago, as a server does whose clock was put back meanwhile."""
        with contextlib.closing(sqlite3.connect(self.folder / "label_studio.sqlite3", timeout=60)) as db:
            db.execute("UPDATE task SET updated_at = datetime(updated_at, '-2 hours') WHERE id = ?", (task,))
            db.commit()

    def close(self) -> None:
        """Give all connections back."""
        self.admin.close()
        for http in self._raters.values():
            http.close()

    def submit(
        self, rater: str, task: int, result: Sequence[object], seconds: float = 60.0, **more: Any
    ) -> int:
        """Post a form for a task; the annotation's number."""
        body = {"result": list(result), "lead_time": seconds, **more}
        answer = self.session(rater).post(f"/api/tasks/{task}/annotations/", json=body)
        assert answer.status_code == 201, answer.text
        return int(answer.json()["id"])


@pytest.fixture(scope="session")
def label_studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabelStudio]:
    """A real Label Studio with an account for each rater; absent, it skips at home and fails in CI.

    A new data folder takes half a minute of migrations, so a prepared one is kept beside the environment and copied.
    """
    if not install.installed():
        why = "Label Studio is not installed; `wherefore annotate install` does it"
        pytest.fail(why) if os.environ.get("CI") else pytest.skip(why)
    program = install.environment()
    template = program.parent.parent.with_name(f"label-studio-{install.VERSION}-tests")
    if not (template / "ready").exists():
        shutil.rmtree(template, ignore_errors=True)
        with server_.serving(template, free_port()) as state:
            for rater in RATERS:
                server_.account(template, state, f"{rater}@raters.example.com")
        (template / "ready").touch()
    folder = tmp_path_factory.mktemp("server") / "label_studio"
    shutil.copytree(template, folder)
    with server_.serving(folder, free_port()) as state:
        running = LabelStudio(folder, state)
        yield running
        running.close()


class StudyRun:
    """A study file, its run folder with hand-written rationales, and the commands."""

    def __init__(self, run_folder: Path, server: str = "") -> None:
        self.run_folder, self._server = run_folder, server
        self.file = run_folder.parent.parent / "study.toml"
        self.folder = run_folder / "annotate"
        self._all: dict[str, Any] = {}

    def study(self, **annotate: Any) -> None:
        """Write the study file; keys that are not named stay as they were, and None takes one out."""
        self._all |= annotate
        section = {k: v for k, v in self._all.items() if v is not None}
        if self._server:
            section["server"] = {"url": self._server}
        before, _, _ = QUICK.partition("[annotate]")
        before = before.replace('name = "quick"', f'name = "{self.run_folder.name}"', 1)
        lines = [f"{k} = {_toml(v)}" for k, v in section.items()]
        self.file.write_text(f"{before}[annotate]\n" + "\n".join(lines) + "\n")

    def call(self, command: str, *more: str, code: int = 0) -> str:
        """Run `wherefore annotate <command>`; standard output and error."""
        args = ["annotate", command, str(self.file), "--runs", str(self.run_folder.parent), *more]
        done = CliRunner().invoke(main, args)
        assert done.exit_code == code, done.output + str(done.exception)
        return done.output

    @property
    def state(self) -> rounds.GradingState:
        """What is in so far."""
        s = load(self.file)
        return rounds.people(s, resolve(s), self.run_folder)

    def order(self, rater: str, round: str = "main") -> list[str]:
        """A rater's items in their order."""
        return [t.item for t in self.state.plan.of_round(round) if t.rater == rater]

    def form(self, item: str, values: Mapping[str, str], texts: Sequence[Text] = ()) -> list[dict[str, Any]]:
        """Answers of the whole by name, every sentence supported, as the page would send them."""
        plan = self.state.plan
        sentences = range(len(plan.items[item].claims))
        per_claim = [d for d in plan.rubric.dimensions if d.per_claim and d.when is None]
        marks = [Mark(dimension=d.name, claim=i, value=d.categories[0]) for d in per_claim for i in sentences]
        marks += [Mark(dimension=d, value=v) for d, v in values.items()]
        return forms.write(GradedForm(item=item, rater="", round="", marks=tuple(marks), texts=tuple(texts)))

    def values(self, rater: str, dimension: str, round: str = "main") -> dict[str, str]:
        """What counts of a rater's answers to one question, by item."""
        rows = self.state.got.ratings
        return {r.item: r.value for r in rows if (r.rater, r.round, r.dimension) == (rater, round, dimension)}

    def faults(self) -> dict[tuple[str, str], str]:
        """What is wrong, by rater and item."""
        return {(f.rater, f.item): f.fault for f in self.state.got.faults}

    def exported(
        self,
        rater: str,
        change: Callable[[int, dict[str, Any]], object] | None = None,
        *,
        account: Any = 1,
        values: Mapping[str, str] | Callable[[str], Mapping[str, str]],
        first: int | None = None,
        round: str = "main",
    ) -> Path:
        """A rater's file after `annotate export`, graded and exported again by a server of the rater's own.

        Args:
            rater: whose.
            change: called with the place and the task, which it may change.
            account: what stands in `completed_by`.
            values: the answers, for every item or by item.
            first: so many items are graded.
            round: which one.
        """
        path = self.run_folder / "annotate_files" / f"{round}-{rater}" / "tasks.json"
        rows = []
        for n, task in enumerate(json.loads(path.read_text())[:first]):
            item = task["data"]["item"]
            answers = values(item) if callable(values) else values
            annotation = {
                "id": 100 + n,
                "unique_id": f"{round}-{rater}-{item}",
                "completed_by": account,
                "was_cancelled": False,
                "result": self.form(item, answers),
                "lead_time": 30.0 + n + len(rater),
                "created_at": f"2026-11-20T10:{n:02d}:00.000000Z",
                "updated_at": f"2026-11-20T11:{n:02d}:00.000000Z",
            }
            rows.append({"id": n + 1, **task, "annotations": [annotation]})
            if change is not None:
                change(n, rows[-1])
        out = self.file.with_name(f"{rater}.json")
        out.write_text(json.dumps(rows))
        return out


class OnServer(StudyRun):
    """The same on the running server, with the raters at hand."""

    def __init__(self, label_studio: LabelStudio, run_folder: Path) -> None:
        super().__init__(run_folder, label_studio.state.url)
        self.ls = label_studio

    def project(self, rater: str, round: str = "main") -> int:
        """The number of a rater's project."""
        place = ledger.read(self.folder).at(round, rater)
        assert place is not None
        return place.project

    def tasks(self, rater: str, round: str = "main") -> dict[str, int]:
        """The numbers of a rater's tasks on the server, by item."""
        return {item: held[0].id for item, held in self.ls.admin.held(self.project(rater, round)).items()}

    def grade(
        self,
        rater: str,
        item: str,
        values: Mapping[str, str],
        *,
        round: str = "main",
        by: str | None = None,
        texts: Sequence[Text] = (),
        **more: Any,
    ) -> int:
        """Send a form; the annotation's number."""
        form = self.form(item, values, texts)
        return self.ls.submit(by or rater, self.tasks(rater, round)[item], form, **more)

    @contextlib.contextmanager
    def page(self, port: int | None = None) -> Iterator[str]:
        """Serve the grading page in front of the server; its address."""
        port = port or free_port()
        url = f"http://127.0.0.1:{port}"
        office = Office(self.file, self.run_folder, sign.by_own_server(self.ls.folder))
        links.issued(self.folder, self.people, url)
        app = application(lambda: links.read(self.folder), office.desk, ["127.0.0.1"], secure=False)
        with listening(app, "127.0.0.1", port):
            yield url
        office.close()

    @property
    def people(self) -> list[str]:
        """Names of everybody in the study file."""
        return [p if isinstance(p, str) else p["name"] for p in self._all["people"]]

    def link(self, rater: str) -> str:
        """A rater's personal link."""
        found = links.read(self.folder)
        assert found is not None
        return found.link(rater)

    def grade_all(
        self, rater: str, values: Mapping[str, str], round: str = "main", only: int | None = None
    ) -> None:
        """Send the same answers for a rater's open items, the first `only` of them."""
        tasks = self.tasks(rater, round)
        done = {i for r, who, i in self.state.got.done if (r, who) == (round, rater)}
        for item in [i for i in self.order(rater, round) if i not in done][:only]:
            self.ls.submit(rater, tasks[item], self.form(item, values))


def _toml(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{k} = {_toml(v)}" for k, v in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return json.dumps(value)


@pytest.fixture
def on_server(
    label_studio: LabelStudio, graded: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> OnServer:
    """A study on the running server, named by the test, graded by ann and ben with the short rubric."""
    monkeypatch.setenv("WHEREFORE_LABEL_STUDIO_TOKEN", label_studio.state.token)
    named = graded.rename(graded.with_name(f"t{digest(request.node.nodeid)}"))
    out = OnServer(label_studio, named)
    out.study(raters="label_studio", rubric="short", items=6, people=["ann", "ben"])
    return out


def _heard() -> None:
    """A child hears hang-ups and ctrl+c also where the tests run under nohup or in the background of a shell."""
    for number in (signal.SIGHUP, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)


class Running:
    """A command of `annotate` that goes on until it is ended, such as `serve`."""

    def __init__(self, run: StudyRun, command: str, *options: str) -> None:
        args = ["annotate", command, str(run.file), "--runs", str(run.run_folder.parent), *options]
        self.process = subprocess.Popen(
            [sys.executable, "-u", "-m", "wherefore", *args],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "PYTHONWARNINGS": "ignore"},
            preexec_fn=_heard,
        )
        self.lines: list[str] = []
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.rstrip())
            if line.startswith("Serving"):
                return
        raise AssertionError("\n".join(self.lines))

    def end(self, number: signal.Signals) -> str:
        """Send a signal and wait; what was said since."""
        self.process.send_signal(number)
        out, _ = self.process.communicate(timeout=60)
        return str(out)


@pytest.fixture
def start() -> Iterator[Callable[..., Running]]:
    """Starts commands, which end with the test."""
    started: list[Running] = []

    def start_one(run: StudyRun, command: str, *options: str) -> Running:
        started.append(Running(run, command, *options))
        return started[-1]

    yield start_one
    for s in started:
        if s.process.poll() is None:
            s.end(signal.SIGTERM)
        assert s.process.stdout is not None
        s.process.stdout.close()


@pytest.fixture
def own(graded: Path) -> StudyRun:
    """A study of ann and ben with a server of its own, which is not running."""
    out = StudyRun(graded.rename(graded.with_name("served")))
    out.study(raters="label_studio", rubric="clinical", items=2, people=["ann", "ben"])
    return out


@pytest.fixture
def by_files(graded: Path) -> StudyRun:
    """A study that ann and ben grade by files with the short rubric, handed out."""
    out = StudyRun(graded.rename(graded.with_name("byfiles")))
    out.study(raters="files", rubric="short", items=8, people=["ann", "ben"])
    out.call("export")
    return out


@pytest.fixture
def contrast() -> str:
    """JavaScript: the contrast ratio of an element's text and what lies under it (WCAG 2.2)."""
    return """e => {
  const rgb = c => c.match(/[\\d.]+/g).map(Number);
  const light = c => { const [r, g, b] = rgb(c).slice(0, 3).map(v => v / 255)
    .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4); return 0.2126*r + 0.7152*g + 0.0722*b; };
  let under = e;
  while (under && (rgb(getComputedStyle(under).backgroundColor)[3] ?? 1) < 0.5) under = under.parentElement;
  const [a, b] = [light(getComputedStyle(e).color), light(getComputedStyle(under ?? document.body).backgroundColor)];
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
}"""
