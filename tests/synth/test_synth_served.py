"""What a job makes of endpoints that answer wrongly, refuse, or want to be asked in another way."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from wherefore.study.config import Study
from wherefore.study.errors import ServiceError, StudyError
from wherefore.study.records import read_jsonl
from wherefore.synth.records import Rationale, Refusal
from wherefore.synth.run import resolve, run

Write = Callable[..., Path]
Start = Callable[..., Any]
TRANSPORTS = pytest.mark.parametrize("transport", ["openai", "fast"])
MESSAGE = "the key sk-secret of Mr Example"


def study(url: Any, transport: str = "openai", **more: Any) -> Study:
    options = {"model": "m", "base_url": url, "transport": transport, **more.pop("options", {})}
    return Study(
        name="t", cohort={}, synth={"teacher": {"name": "openai", **options}, "styles": ["free"], **more}
    )


def made(home: Path) -> tuple[list[Rationale], list[Refusal]]:
    folder = home / "synth"
    refusals = read_jsonl(folder / "refusals.jsonl", Refusal)
    return list(read_jsonl(folder / "rationales.jsonl", Rationale)), [
        r for r in refusals if r.reason != "censored"
    ]


def error(code: str | int, message: str = MESSAGE, **more: Any) -> dict[str, Any]:
    return {"error": {"message": message, "type": "x", "code": code, **more}}


def said(content: Any, finish: str = "stop", **message: Any) -> dict[str, Any]:
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": content, **message},
        "finish_reason": finish,
    }
    return {"choices": [choice], "usage": {"prompt_tokens": 5, "completion_tokens": 5}}


CUT = '{"claims": [{"section": "", "text": "Stroke at'
ENDS: dict[str, tuple[Any, str]] = {
    "no credit": (
        (429, error("billing_not_active")),
        r"status 429 \(billing_not_active\): the account has no credit",
    ),
    "quota": ((429, error("insufficient_quota")), "no credit left"),
    "all forbidden": (
        (403, error("denied")),
        r"status 403 \(denied\): not allowed with the key in OPENAI_API_KEY",
    ),
    "all filtered": ((400, error("content_filter")), "the endpoint's filter refused the prompt"),
    "an option": (
        (
            400,
            error("unsupported_parameter", "Unsupported parameter: 'seed' is not supported.", param="seed"),
        ),
        r"refuses 'seed'\. Set seeded = false",
    ),
    "an option by its message": (
        (
            422,
            {
                "detail": [
                    {"type": "extra_forbidden", "loc": ["body", "max_completion_tokens"], "msg": MESSAGE}
                ]
            },
        ),
        r"refuses 'max_completion_tokens'\. Write extra = \{ max_tokens",
    ),
    "an option in prose": (
        (400, {"error": "response_format is not supported by this model"}),
        'structured = "json_obj',
    ),
    "a page": (
        (200, "<!DOCTYPE html><html>Sign in</html>"),
        r"a page of HTML\. Correct synth\.teacher\.base_url",
    ),
    "a stream": (
        (200, 'data: {"choices": [{"delta": {"content": "{"}}]}\n\ndata: [DONE]\n'),
        "a stream of events",
    ),
    "an error in a 200": (error("overloaded"), r"the answer holds an error \(overloaded\)"),
    "a wrong key in a 200": (error("invalid_api_key", status=401), "was refused"),
    "finish_reason error": (said(CUT, "error"), "finish_reason error"),
    "no choices": ({"output": [{"content": "x"}]}, r"empty \(no choices in it, .* it holds: output\)"),
    "only thinking": (
        said(None, reasoning_content="hm"),
        r"only_thinking \(content is null, .*switch off the thinking",
    ),
    "cut": (said(CUT, "length"), r"length \(cut off by the token limit\)\. Raise max_tokens"),
    "prose": (said("Mr Example is at risk."), r"none could be read: \d+ not_json\. Set structured"),
    "refusals": (said("I'm sorry, but I can't."), r"\d+ refused\. Choose another model"),
}


@TRANSPORTS
@pytest.mark.parametrize("name", ENDS)
def test_a_run_in_which_nothing_can_succeed_ends_with_one_line(
    cohort: Write, endpoint: Start, tmp_path: Path, name: str, transport: str
) -> None:
    behaviour, words = ENDS[name]
    server = endpoint(lambda number, key: behaviour)
    with pytest.raises(ServiceError, match=words) as e:
        run(
            study(server.url, transport, options={"max_tokens": 300}, job={"in_flight": 4}),
            cohort(tmp_path, 60),
        )
    assert "\n" not in str(e.value)
    assert "Example" not in str(e.value)
    assert "sk-secret" not in str(e.value)
    assert sum(server.received.values()) <= 24


@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [
        ((403, error("denied")), "forbidden"),
        (
            (400, error("content_filter", innererror={"code": "ResponsibleAIPolicyViolation"})),
            "content_filter",
        ),
        ((400, error("context_length_exceeded")), "bad_request"),
        (
            (400, {"error": {"code": None, "innererror": {"code": "ResponsibleAIPolicyViolation"}}}),
            "content_filter",
        ),
        (said('{"claims": [{', "content_filter"), "content_filter"),
    ],
)
def test_what_is_wrong_with_one_prompt_costs_one_case(
    cohort: Write, endpoint: Start, tmp_path: Path, behaviour: Any, reason: str
) -> None:
    server = endpoint(lambda number, key: behaviour if number == 0 else "ok")
    home = cohort(tmp_path, 12)
    run(study(server.url, job={"in_flight": 1}), home)
    rationales, refusals = made(home)
    assert [r.reason for r in refusals] == [reason]
    assert len(rationales) >= 9


@TRANSPORTS
@pytest.mark.parametrize("behaviour", [said(CUT, "error"), error(502), {"error": "busy"}, [error("x")]])
def test_an_error_inside_an_answer_is_asked_again(
    cohort: Write, endpoint: Start, tmp_path: Path, behaviour: Any, transport: str
) -> None:
    server = endpoint(lambda number, key: behaviour if number in (0, 4) else "ok")
    home = cohort(tmp_path, 8)
    run(study(server.url, transport, job={"in_flight": 2}), home)
    assert made(home)[1] == []


def test_nothing_but_refusals_for_the_minutes_of_an_outage_ends_the_job(
    cohort: Write, endpoint: Start, tmp_path: Path
) -> None:
    for after, refusal in ((-1, "429"), (4, "429 600")):
        server = endpoint(lambda number, key, after=after, kind=refusal: kind if number > after else "ok")
        with pytest.raises(
            ServiceError, match=r"status 429 .*, and no answer for 0\.02 minutes\. Run the command again"
        ):
            run(
                study(server.url, job={"in_flight": 4, "outage_minutes": 0.02}),
                cohort(tmp_path / refusal, 40),
            )


@pytest.mark.parametrize("status", ["404", "401", "402", "307"])
def test_an_endpoint_that_cannot_serve_leaves_the_work_to_the_other(
    cohort: Write, endpoint: Start, tmp_path: Path, status: str, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong, right = endpoint(lambda number, key: status), endpoint(latency=0.01)
    home = cohort(tmp_path, 30)
    run(study([wrong.url, right.url], job={"in_flight": 8}), home)
    assert made(home)[1] == []
    assert sum(wrong.received.values()) <= 8
    assert f"{wrong.url}: status {status}" in capsys.readouterr().out


def test_a_request_that_one_endpoint_refuses_is_put_to_the_other(
    cohort: Write, endpoint: Start, tmp_path: Path
) -> None:
    picky, right = (
        endpoint(lambda number, key: (400, error("unsupported_parameter", param="seed"))),
        endpoint(),
    )
    home = cohort(tmp_path, 30)
    run(study([picky.url, right.url], job={"in_flight": 2}), home)
    assert made(home)[1] == []


def test_a_weak_model_may_go_on(cohort: Write, endpoint: Start, tmp_path: Path) -> None:
    server = endpoint(lambda number, key: "prose" if number < 30 else "ok")
    home = cohort(tmp_path, 40)
    run(study(server.url, job={"in_flight": 4, "unreadable": 0}, reask=0), home)
    assert {r.reason for r in made(home)[1]} == {"not_json"}


@TRANSPORTS
@pytest.mark.parametrize(
    ("tail", "options", "path", "header"),
    [
        (
            "/openai/deployments/m?api-version=2024-10-21",
            {},
            "/openai/deployments/m/chat/completions?api-version=2024-10-21",
            ("api-key", "sk-secret"),
        ),
        ("/openai/v1", {"key_header": "api-key"}, "/openai/v1/chat/completions", ("api-key", "sk-secret")),
        (
            "/openai/v1?api-version=preview",
            {"key_header": "Authorization"},
            "/openai/v1/chat/completions?api-version=preview",
            ("authorization", "Bearer sk-secret"),
        ),
        ("/v1/", {}, "/v1/chat/completions", ("authorization", "Bearer sk-secret")),
        ("/v1/chat/completions", {}, "/v1/chat/completions", ("authorization", "Bearer sk-secret")),
    ],
)
def test_addresses_and_keys_as_azure_documents_them(
    cohort: Write,
    endpoint: Start,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    transport: str,
    tail: str,
    options: dict[str, Any],
    path: str,
    header: tuple[str, str],
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    server = endpoint()
    run(study(f"http://127.0.0.1:{server.port}{tail}", transport, options=options), cohort(tmp_path, 3))
    assert set(server.paths) == {path}
    for headers in server.headers:
        keys = {name: headers[name] for name in ("api-key", "authorization") if name in headers}
        assert keys == dict([header])


@pytest.mark.parametrize(
    ("url", "options", "words"),
    [
        ("http://127.0.0.1:9/v1?key=sk-secret", {}, "an address with a key"),
        (
            "http://127.0.0.1:9/v1",
            {"extra": {"stream": True}},
            r"extra\.stream: remove it; answers come whole here",
        ),
        ("http://127.0.0.1:9/v1", {"extra": {"n": 4}}, r"extra\.n: remove it; set synth\.samples instead"),
    ],
)
def test_what_cannot_work_is_refused_before_the_run(url: str, options: dict[str, Any], words: str) -> None:
    with pytest.raises(StudyError, match=words) as e:
        resolve(study(url, options=options))
    assert "sk-secret" not in str(e.value)


def test_a_missing_verdict_is_no_loss_where_the_outcome_was_told(
    cohort: Write, endpoint: Start, tmp_path: Path
) -> None:
    server = endpoint(
        lambda number, key: said(json.dumps({"claims": ["Hypertension speaks for it [E002]."]}))
    )
    for label, reasons in (("shown", set()), ("hidden", {"no_verdict"})):
        home = cohort(tmp_path / label, 6)
        run(study(server.url, label=label), home)
        rationales, refusals = made(home)
        assert {r.reason for r in refusals} == reasons
        summary = json.loads((home / "synth" / "summary.json").read_text())
        assert summary["without_verdict"] == len(rationales)


def test_thinking_is_paid_for_and_counts_that_do_not_add_up_are_said(
    cohort: Write, endpoint: Start, tmp_path: Path
) -> None:
    answer = said(json.dumps({"claims": ["Hypertension speaks for it [E002]."]}))
    answer["usage"] = {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 4100}
    server = endpoint(lambda number, key: answer)
    home = cohort(tmp_path, 6)
    run(study(server.url, prices={"prompt": 1.0, "completion": 10.0}), home)
    summary = json.loads((home / "synth" / "summary.json").read_text())
    n = summary["rationales"]
    assert summary["completion_tokens"] == 3100 * n
    assert summary["cost"] == pytest.approx(n * (1000 + 31000) / 1e6)
    assert re.search(
        rf"In {n} answers the endpoint's token counts", (home / "synth" / "README.md").read_text()
    )
