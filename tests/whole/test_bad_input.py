"""What a user gets wrong is one line, a non-zero exit, and nothing half-written. Through the installed command."""

import json
import re
import socket
import threading
from collections.abc import Iterator
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pandas as pd
import pytest

from .conftest import QUICK, wherefore

SMALL = """
name = "small"
[cohort]
source = { name = "simulated", people = 3000 }
sampling = { case_share = 0.2, train = 10, tuning = 5, held_out = 10 }
"""


def study(folder: Path, text: str) -> Path:
    path = folder / "study.toml"
    path.write_text(text)
    return path


def one_line(done, *words: str) -> str:  # type: ignore[no-untyped-def]
    """The command failed and said why in one line that holds these words."""
    line = done.stderr.strip().splitlines()
    assert done.returncode not in (0, 2), done.stdout
    assert len(line) == 1, done.stderr
    for word in words:
        assert word in line[0], line[0]
    return line[0]


def nothing_written(runs: Path) -> None:
    assert not [
        p for p in runs.rglob("*") if p.suffix in (".parquet", ".jsonl", ".html") and p.stat().st_size
    ]
    assert not list(runs.rglob("manifest.json"))


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("[synth]", "[sinth]", ("study.toml", "sinth", "did you mean 'synth'")),
        (
            'name = "simulated"',
            'name = "simulatd"',
            ("'simulatd' is not a source", "did you mean 'simulated'"),
        ),
        ("people = 8000", "poeple = 8000", ("cohort.source.poeple", "did you mean 'people'")),
        (
            'name = "reference"',
            'name = "refrence"',
            ("'refrence' is not a teacher", "did you mean 'reference'"),
        ),
        ("items = 24", "itmes = 24", ("annotate.itmes", "did you mean 'items'")),
        ('"label_only", ', '"lable_only", ', ("'lable_only' is not a target", "did you mean 'label_only'")),
        ("hidden = 32", "hiden = 32", ("bases.tiny.hiden", "did you mean 'hidden'")),
        ("max_new_tokens", "max_new_token", ("train.max_new_token", "did you mean 'max_new_tokens'")),
        (
            "replicates = 500",
            "replicates = 5",
            ("analysis.replicates", "greater than or equal to 100", "found 5"),
        ),
        ("expect = 5", "expect = 6", ("grid.expect", "found 6", "5 cells")),
    ],
)
def test_study_file(tmp_path: Path, old: str, new: str, words: tuple[str, ...]) -> None:
    text = QUICK.read_text()
    assert old in text
    runs = tmp_path / "runs"
    one_line(wherefore("run", study(tmp_path, text.replace(old, new)), "--runs", runs), "study.toml", *words)
    assert not runs.exists()


def meds(folder: Path, **columns: list[object]) -> Path:
    """A MEDS folder with one file, and a study of it."""
    (folder / "records" / "data").mkdir(parents=True)
    pd.DataFrame(columns).to_parquet(folder / "records" / "data" / "0.parquet")
    source = 'source = { name = "meds", path = "records" }\nfollowup = { until_date = "2020-01-01" }\n'
    return study(folder, f'name = "small"\n[cohort]\n{source}')


def test_missing_column(tmp_path: Path) -> None:
    path = meds(tmp_path, subject_id=[1, 1], time=[datetime(1940, 1, 1), datetime(1990, 1, 1)])
    one_line(wherefore("run", path, "--runs", tmp_path / "runs"), "0.parquet", "code")
    nothing_written(tmp_path / "runs")


def test_a_date_that_nobody_lives_to_see(tmp_path: Path) -> None:
    """Too many of them refuse the source; what comes after a declared end of the data is cut and counted instead."""
    when = [datetime(1940, 1, 1), datetime(1990, 1, 1), datetime(2010, 5, 1), datetime(2190, 1, 1)]
    path = meds(
        tmp_path, subject_id=[1] * 4, time=when, code=["MEDS_BIRTH", "ICD10/I10", "ICD10/F03", "ICD10/I63"]
    )
    assert "until_date, 2020-01-01, cut" in wherefore("cohort", path, "--count").stdout
    text = path.read_text()
    path.write_text(text.replace('followup = { until_date = "2020-01-01" }\n', ""))
    one_line(wherefore("run", path, "--runs", tmp_path / "runs"), "0.parquet", "past 125 years of age")
    nothing_written(tmp_path / "runs")


def test_stale_run_folder(tmp_path: Path) -> None:
    path = study(tmp_path, SMALL)
    assert wherefore("cohort", path, "--runs", tmp_path / "runs").returncode == 0
    cases = tmp_path / "runs" / "small" / "cohort" / "cases.parquet"
    before = cases.read_bytes()
    study(tmp_path, SMALL.replace("3000", "4000"))
    done = wherefore("cohort", path, "--runs", tmp_path / "runs")
    one_line(done, "cohort", "people 3000 -> 4000", "Move the folder away")
    assert cases.read_bytes() == before


def test_a_refused_run_leaves_the_run_folder_as_it_was(tmp_path: Path) -> None:
    path = study(tmp_path, SMALL)
    assert wherefore("cohort", path, "--runs", tmp_path / "runs").returncode == 0
    folder = tmp_path / "runs" / "small"

    def everything() -> dict[str, tuple[int, bytes]]:
        files = (p for p in folder.rglob("*") if p.is_file() and p.name != ".lock")
        return {str(p.relative_to(folder)): (p.stat().st_mtime_ns, p.read_bytes()) for p in files}

    before = everything()
    assert "study.toml" in before
    study(tmp_path, SMALL.replace("3000", "4000"))
    for command in ("cohort", "run"):
        one_line(wherefore(command, path, "--runs", tmp_path / "runs"), "people 3000 -> 4000")
        assert everything() == before


class _Refuses(BaseHTTPRequestHandler):
    """Answers every request as a server does that was given a wrong key."""

    def do_POST(self) -> None:
        body = json.dumps(
            {"error": {"message": "Incorrect API key provided: sk-se***et", "code": "invalid_api_key"}}
        )
        self.rfile.read(int(self.headers["content-length"]))
        self.server.asked += 1  # type: ignore[attr-defined]
        self.send_response(401)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def refusing() -> Iterator[ThreadingHTTPServer]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Refuses)
    server.asked = 0  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def _teacher(port: int) -> str:
    where = f'base_url = "http://127.0.0.1:{port}/v1"'
    return (
        SMALL + f'[synth]\nteacher = {{ name = "openai", model = "m", {where} }}\njob = {{ attempts = 2 }}\n'
    )


def test_wrong_api_key(tmp_path: Path, refusing: ThreadingHTTPServer) -> None:
    path = study(tmp_path, _teacher(refusing.server_address[1]))
    done = wherefore("run", path, "--runs", tmp_path / "runs", OPENAI_API_KEY="sk-secret-secret")
    line = one_line(done, "401", "OPENAI_API_KEY")
    assert "sk-secret" not in line
    assert not list((tmp_path / "runs").rglob("rationales.jsonl"))
    everything = b"".join(p.read_bytes() for p in (tmp_path / "runs").rglob("*") if p.is_file())
    assert b"sk-secret" not in everything
    assert refusing.asked <= 64  # type: ignore[attr-defined]


def test_unreachable_server(tmp_path: Path) -> None:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    path = study(tmp_path, _teacher(port))
    done = wherefore("run", path, "--runs", tmp_path / "runs", OPENAI_API_KEY="k")
    one_line(done, f"127.0.0.1:{port}")
    assert not list((tmp_path / "runs").rglob("rationales.jsonl"))


def test_patient_data_leaves_only_by_permission(tmp_path: Path) -> None:
    text = _teacher(1).replace("http://127.0.0.1:1/v1", "https://teacher.example.com/v1")
    done = wherefore("check", study(tmp_path, text), OPENAI_API_KEY="k")
    assert re.search("data_use", one_line(done, "teacher.example.com"))


def test_rating_outside_its_scale(tmp_path: Path) -> None:
    ratings = tmp_path / "ratings.csv"
    ratings.write_text("item,rater,value\n1,a,1\n1,b,2\n2,a,9\n2,b,1\n")
    done = wherefore("agree", ratings, "--level", "ordinal", "--categories", "1,2,3")
    one_line(done, "ratings.csv:4 ('9'): value: outside the scale", "Allowed: 1, 2, 3")
    assert done.stdout == ""


def test_label_outside_0_and_1(tmp_path: Path) -> None:
    when = [datetime(1940, 1, 1), datetime(1990, 1, 1), datetime(2010, 5, 1)]
    path = meds(tmp_path, subject_id=[1] * 3, time=when, code=["MEDS_BIRTH", "ICD10/I10", "ICD10/E11"])
    (tmp_path / "labels.csv").write_text("subject_id,prediction_time,boolean_value\n1,2012-01-01,2\n")
    predict = 'predict = { rule = "per_row", file = "labels.csv", labels = "boolean_value" }\n'
    path.write_text(path.read_text() + predict)
    done = wherefore("run", path, "--runs", tmp_path / "runs")
    one_line(done, "labels.csv: row 0: boolean_value: found '2'; a label is 0 or 1")
    nothing_written(tmp_path / "runs")
