"""A small cohort and its rationales, written by hand: enough for every part of the annotate stage."""

import os
import shutil
import socket
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from wherefore.annotate.label_studio import server as server_
from wherefore.annotate.label_studio.client import Server
from wherefore.cohort.records import Case, Evidence
from wherefore.study.config import Study
from wherefore.study.records import digest, to_frame, write_jsonl, write_table
from wherefore.synth.records import Check, Claim, Grounding, Rationale

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


RATERS = ("ann", "ben", "carla")


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


@dataclass
class LabelStudio:
    """The running server, and ways to act on it as one of the raters would."""

    folder: Path
    state: server_.State

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
    if not server_.installed():
        why = "Label Studio is not installed; `wherefore annotate install` does it"
        pytest.fail(why) if os.environ.get("CI") else pytest.skip(why)
    program = server_.environment()
    template = program.parent.parent.with_name(f"label-studio-{server_.VERSION}-tests")
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
