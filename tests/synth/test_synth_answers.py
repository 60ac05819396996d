"""Answers in the shapes that servers and models give them: what is read, and what an answer is called that is not."""

import json
from typing import Any

import pytest

from wherefore.synth.answers.faults import error_in
from wherefore.synth.answers.parse import ParsedAnswer, read
from wherefore.synth.styles import STYLES
from wherefore.synth.teaching import adds_up, usage

TEXTS = ("Atrial fibrillation at age 71.2.", "Depressive episode at age 70.4.", "The burden is moderate.")
CITES = (("E007",), ("E005", "E006"), ())
CLAIMS = [{"section": "", "text": t, "evidence": list(c)} for t, c in zip(TEXTS, CITES, strict=True)]
WHOLE = {"claims": CLAIMS, "verdict": 1}
FULL = json.dumps(WHOLE)
DRAFT = json.dumps({"claims": [{"section": "", "text": "A draft.", "evidence": ["E001"]}], "verdict": 0})
CUT = FULL[: FULL.index("The burden") - 20]
EXAMPLE = (
    '{"claims": [{"section": "", "text": "one sentence without ids", "evidence": ["E001"]}], "verdict": 1}'
)
ASKED = {
    "messages": [
        {"role": "system", "content": "Rules:\n- Say only what the numbered history says."},
        {
            "role": "user",
            "content": f"Outcome: yes.\n[E007] age 71.2 (3.0 y before): Stroke\nAnswer so:\n{EXAMPLE}",
        },
    ]
}


def body(content: Any = None, finish: str | None = "stop", **message: Any) -> dict[str, Any]:
    """A completion with one choice."""
    said = {"role": "assistant", "content": content, **message}
    return {"id": "x", "choices": [{"index": 0, "message": said, "finish_reason": finish}]}


def parsed(answer: dict[str, Any], style: str = "free") -> ParsedAnswer:
    return read(answer, STYLES[style], ASKED)


def tool(arguments: Any) -> dict[str, Any]:
    return {"id": "1", "type": "function", "function": {"name": "rationale", "arguments": arguments}}


WHOLE_ANSWERS: dict[str, dict[str, Any]] = {
    "tidy": body(FULL),
    "fence": body(f"```json\n{FULL}\n```"),
    "tilde fence": body(f"~~~\n{FULL}\n~~~"),
    "fence of another language": body(f"```python\nanswer = {WHOLE!r}\n```"),
    "javascript": body(f"```js\nconst answer = {FULL};\n```"),
    "xml around": body(f"<answer>\n{FULL}\n</answer>"),
    "boxed": body(f"\\boxed{{{FULL}}}"),
    "prose around": body(f"Here is my reading {{in short}}: {FULL} I hope that {{this}} helps."),
    "think": body(f"<think>\nDraft: {DRAFT}, no.\n</think>\n\n{FULL}"),
    "think with an attribute": body(f'<think time="3">{DRAFT}</think>{FULL}'),
    "think opened in the prompt": body(f"Let me see {DRAFT}\n</think>\n{FULL}"),
    "think never closed": body(f"<think>\nI will say {FULL}"),
    "think twice": body(f"<think>{DRAFT}</think>Well. <think>{DRAFT}</think>{FULL}"),
    "thinking": body(f"<thinking>{DRAFT}</thinking>{FULL}"),
    "reasoning": body(f"<reasoning>{DRAFT}</reasoning>\n<answer>{FULL}</answer>"),
    "scratchpad": body(f"<scratchpad>{DRAFT}</scratchpad>{FULL}"),
    "inner monologue": body(f"<inner_monologue>{DRAFT}</inner_monologue>{FULL}"),
    "THINK": body(f"[THINK]{DRAFT}[/THINK]{FULL}"),
    "seed": body(f"<seed:think>{DRAFT}</seed:think>{FULL}"),
    "thought": body(f"<thought>{DRAFT}</thought>{FULL}"),
    "begin of thought": body(f"<|begin_of_thought|>{DRAFT}<|end_of_thought|>\n<|begin_of_solution|>{FULL}"),
    "start thinking": body(
        f"<|START_THINKING|>{DRAFT}<|END_THINKING|><|START_RESPONSE|>{FULL}<|END_RESPONSE|>"
    ),
    "think with triangles": body(f"◁think▷{DRAFT}◁/think▷{FULL}"),
    "unused tokens": body(f"<unused94>thought\n{DRAFT}<unused95>{FULL}"),
    "numbered unused tokens": body(f"[unused16]{DRAFT}[unused17]{FULL}"),
    "inner prefix": body(f"<|inner_prefix|>{DRAFT}<|inner_suffix|>{FULL}"),
    "folded": body(f'<details type="reasoning" done="true">{DRAFT}</details>\n{FULL}'),
    "terminal": body(f"Thinking...\n{DRAFT}\n...done thinking.\n\n{FULL}"),
    "thought process": body(f"Here is my thought process:\n{DRAFT}\nHere is my response:\n{FULL}"),
    "channels": body(
        f"<|channel|>analysis<|message|>{DRAFT}<|end|><|start|>assistant<|channel|>final<|message|>{FULL}<|return|>"
    ),
    "channels with a constraint": body(
        f"<|channel|>analysis<|message|>{DRAFT}<|end|><|start|>assistant<|channel|>commentary<|message|>Hm.<|end|>"
        f"<|start|>assistant<|channel|>final <|constrain|>json<|message|>{FULL}"
    ),
    "channels without marks": body(f"analysisDraft: {DRAFT} no.assistantfinal{FULL}"),
    "channel marks turned round": body(f"<|channel>thought\nDraft: {DRAFT}<channel|>{FULL}"),
    "corrected": body(f"First version:\n```json\n{DRAFT}\n```\nCorrected:\n```json\n{FULL}\n```"),
    "example first": body(f"The format is {EXAMPLE}\nMy answer:\n{FULL}"),
    "example last": body(f"{FULL}\nThis follows the format {EXAMPLE}"),
    "list of versions": body(f"[{DRAFT}, {FULL}]"),
    "cut after the end": body(FULL + "\n" * 300, "length"),
    "aborted after the end": body(FULL, "abort"),
    "no finish reason": body(FULL, None),
    "reasoning_content": body(FULL, reasoning_content=f"hm {DRAFT}"),
    "all in reasoning_content": body(None, reasoning_content=FULL),
    "all in reasoning": body("", reasoning=f"I think:\n```json\n{FULL}\n```"),
    "parts": body([{"type": "text", "text": FULL[:30]}, {"type": "text", "text": FULL[30:]}]),
    "output parts": body([{"type": "output_text", "text": FULL, "annotations": []}]),
    "plain parts": body([FULL[:30], FULL[30:]]),
    "thinking part": body(
        [{"type": "thinking", "thinking": [{"type": "text", "text": DRAFT}]}, {"type": "text", "text": FULL}]
    ),
    "reasoning part": body([{"type": "reasoning", "text": DRAFT}, {"type": "text", "text": {"value": FULL}}]),
    "content is the object": body(WHOLE),
    "tool call": body(None, "tool_calls", tool_calls=[tool(FULL)]),
    "tool call with an object": body("", "tool_calls", tool_calls=[tool(WHOLE)]),
    "tool call beside prose": body("I call the function.", "tool_calls", tool_calls=[tool(FULL)]),
    "custom tool": body(
        None, "stop", tool_calls=[{"type": "custom", "custom": {"name": "r", "input": FULL}}]
    ),
    "function call": body(None, "function_call", function_call={"name": "rationale", "arguments": FULL}),
    "tool call in the text": body(f'<tool_call>{{"name": "rationale", "arguments": {FULL}}}</tool_call>'),
    "parsed": body("", parsed=WHOLE),
    "legacy text": {"choices": [{"text": FULL, "finish_reason": "stop"}]},
    "delta": {"choices": [{"delta": {"content": FULL}, "finish_reason": "stop"}]},
    "wrapped": body(json.dumps({"rationale": WHOLE})),
    "wrapped twice": body(json.dumps({"response": {"answer": WHOLE}})),
    "verdict outside": body(json.dumps({"explanation": {"claims": CLAIMS}, "verdict": 1})),
    "verdict apart": body(f'{json.dumps({"claims": CLAIMS})}\n{{"verdict": 1}}'),
    "json in a string": body(json.dumps(FULL)),
    "json in a field": body(json.dumps({"answer": FULL})),
    "escaped": body(FULL.replace('"', '\\"')),
    "entities": body(FULL.replace('"', "&quot;")),
    "lines": body("\n".join(map(json.dumps, CLAIMS)) + '\n{"verdict": 1}'),
    "trailing commas": body(FULL.replace("}]", "},]").replace("1}", "1,}")),
    "python": body(repr(WHOLE)),
    "python with a tuple": body(repr({**WHOLE, "claims": tuple(CLAIMS)})),
    "comments": body(FULL.replace('"verdict"', '// as told\n"verdict" /* 1 */')),
    "missing comma": body(FULL.replace("}, {", "} {")),
    "missing brace": body(FULL[:-1]),
    "extra brace": body(FULL + "}"),
    "double braces": body("{" + FULL + "}"),
    "curly quotes": body(FULL.replace('"', "”")),
    "bare keys": body(
        FULL.replace('"claims"', "claims").replace('"verdict"', "verdict").replace('"text"', "text")
    ),
    "not a number": body(FULL.replace('"section": ""', '"section": NaN', 1)),
    "byte order mark": body("\ufeff\u200b" + FULL),
    "capitals": body(FULL.replace('"claims"', '"Claims"').replace('"verdict"', '"Verdict"')),
    "numbered": body(json.dumps({"claims": dict(enumerate(CLAIMS, 1)), "verdict": 1})),
    "sections of no style": body(FULL.replace('"section": ""', '"section": "Reasoning"')),
    "verdict in words": body(FULL.replace('"verdict": 1', '"verdict": "Yes."')),
    "verdict with a gloss": body(FULL.replace('"verdict": 1', '"verdict": "1 (yes)"')),
    "verdict in a list": body(FULL.replace('"verdict": 1', '"verdict": [1]')),
    "verdict is true": body(FULL.replace('"verdict": 1', '"verdict": true')),
    "another model": {**body(FULL), "model": "some/other"},
    "error is null": {**body(FULL), "error": None},
    "filter results": {
        **body(FULL),
        "prompt_filter_results": [{"content_filter_results": {"error": {"code": "x"}}}],
    },
}


@pytest.mark.parametrize("name", WHOLE_ANSWERS)
def test_the_last_complete_answer_is_read(name: str) -> None:
    answer = parsed(WHOLE_ANSWERS[name])
    assert (answer.reason, answer.detail) == (None, "")
    assert [(c.text, c.cites, c.section) for c in answer.claims] == [
        (t, c, "") for t, c in zip(TEXTS, CITES, strict=True)
    ]
    assert answer.verdict == 1


WHOLE_ANSWERS |= {
    "full-width separators": body(FULL.replace('": ', '"：').replace(", ", "，")),
    "keys in German": body(
        json.dumps({"Aussagen": [{"Satz": c["text"], "Belege": c["evidence"]} for c in CLAIMS], "Urteil": 1})
    ),
    "keys in Chinese": body(
        json.dumps(
            {"论断": [{"句子": c["text"], "证据": c["evidence"]} for c in CLAIMS], "结论": 1},
            ensure_ascii=False,
        )
    ),
    "a key a claim": body(json.dumps({**{f"claim_{i}": c for i, c in enumerate(CLAIMS, 1)}, "verdict": 1})),
    "sentences beside their evidence": body(
        json.dumps({"claims": TEXTS, "evidence": [list(c) for c in CITES], "verdict": 1})
    ),
    "verdict among the claims": body(json.dumps({"claims": [*CLAIMS, {"verdict": 1}]})),
    "verdict in an object": body(json.dumps({**WHOLE, "verdict": {"value": 1, "confidence": "high"}})),
    "verdict in German": body(json.dumps({**WHOLE, "verdict": "Ja"})),
    "claims written twice": body(json.dumps({**WHOLE, "claims": CLAIMS + CLAIMS})),
    "CDATA": body(f"<output><![CDATA[{FULL}]]></output>"),
    "function tag": body(f"<function=rationale>{FULL}</function>"),
}
UNREADABLE: dict[str, tuple[str, dict[str, Any]]] = {
    "cut": ("length", body(CUT, "length")),
    "cut by another name": ("length", body(CUT, "MAX_TOKENS")),
    "cut while thinking": ("length", body("<think>hm hm", "length")),
    "cut in a draft of thinking": ("length", body(f"<think>{DRAFT}", "length")),
    "cut in the correction": ("length", body(f"First: {DRAFT} Corrected: {CUT}", "length")),
    "cut in the last of a wrapper": ("length", body(f'{{"draft": {DRAFT}, "final": {CUT}', "length")),
    "cut in reasoning_content": ("length", body(None, "length", reasoning_content="hm hm")),
    "cut lines": ("length", body(f"[{json.dumps(CLAIMS[0])}, {json.dumps(CLAIMS[1])[:30]}", "length")),
    "nothing but thinking": ("only_thinking", body(None, reasoning_content="hm hm")),
    "thinking never closed": ("only_thinking", body(f"<think>{DRAFT} no, that is wrong.")),
    "a draft in closed thinking": ("empty", body(f"<think>{DRAFT}</think>")),
    "only the analysis channel": ("only_thinking", body(f"<|channel|>analysis<|message|>{DRAFT} no<|end|>")),
    "null": ("empty", body(None)),
    "blank": ("empty", body("  \n")),
    "no choices": ("empty", {"choices": []}),
    "responses": ("empty", {"output": [{"type": "message", "content": FULL}]}),
    "filter": ("content_filter", body(FULL[:40], "content_filter")),
    "filter by another name": ("content_filter", body("", "SAFETY")),
    "refusal": ("refused", body(None, refusal="I can't help.")),
    "refusal part": ("refused", body([{"type": "refusal", "refusal": "I can't help."}])),
    "refusal in words": ("refused", body("I'm sorry, but I cannot help with medical records.")),
    "refusal of a language model": ("refused", body("As an AI language model, I cannot judge a patient.")),
    "refusal in German": ("refused", body("Es tut mir leid, dabei kann ich nicht helfen.")),
    "error of a gateway": ("error", {"message": "upstream timed out", "status": 504}),
    "error of Baidu": ("error", {"error_code": 18, "error_msg": "qps limit"}),
    "history repeated": (
        "no_claims",
        body(json.dumps({"history": [{"id": "E006", "event": "Cerebral infarction"}], "verdict": 1})),
    ),
    "refusal as an end": ("refused", body("", "refusal")),
    "error": ("error", body(CUT, "error")),
    "error beside claims": ("error", {**body(FULL), "error": {"code": 502, "message": "upstream"}}),
    "error in the choice": (
        "error",
        {"choices": [{"error": {"code": "overloaded"}, "message": {"content": FULL}}]},
    ),
    "error of the network": ("error", body(FULL, "network_error")),
    "example": ("template", body(EXAMPLE)),
    "example many times": (
        "template",
        body(EXAMPLE.replace("}]", '}, {"text": "One sentence, without ids."}]')),
    ),
    "blanks": ("template", body(EXAMPLE.replace("one sentence without ids", "<sentence>"))),
    "rules repeated": (
        "template",
        body(json.dumps({"claims": ["Say only what the numbered history says."], "verdict": 1})),
    ),
    "schema repeated": (
        "no_claims",
        body('{"type": "object", "properties": {"claims": {"type": "array", "items": {"type": "string"}}}}'),
    ),
    "no claims": ("no_claims", body('{"claims": [], "verdict": 1}')),
    "other object": ("no_claims", body('{"answer": "yes"}')),
    "prose": ("not_json", body("The risk is high.")),
    "page": ("not_json", body("<html><body>Sign in</body></html>")),
    "abort": ("not_json", body(CUT, "abort")),
    "depth": ("not_json", body('{"claims": ' + "[" * 100_000)),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_what_cannot_be_read_is_called_by_its_name(name: str) -> None:
    reason, answer = UNREADABLE[name]
    found = parsed(answer)
    assert found.reason == reason, found
    assert not found.claims
    assert bool(error_in(answer)) == (reason == "error")


CITED: dict[str, tuple[Any, str, tuple[str, ...]]] = {
    "en dash": (["E001–E003"], "Stroke.", ("E001", "E002", "E003")),
    "em dash": (["E001—E003"], "Stroke.", ("E001", "E002", "E003")),
    "hyphen that does not break": (["E001‑E003"], "Stroke.", ("E001", "E002", "E003")),
    "figure dash and minus": (["E001‒E002", "E004−E005"], "Stroke.", ("E001", "E002", "E004", "E005")),
    "through": (["E001 through E003"], "Stroke.", ("E001", "E002", "E003")),
    "dots": (["E001..E003"], "Stroke.", ("E001", "E002", "E003")),
    "in pieces": (["E001", "to", "E003"], "Stroke.", ("E001", "E002", "E003")),
    "half a range": (["E101-3"], "Stroke.", ("E101", "E102", "E103")),
    "backwards": (["E003-E001"], "Stroke.", ("E001", "E002", "E003")),
    "endless": (["E001-E999"], "Stroke.", ("E001", "E999")),
    "text": ("E004, E006", "Stroke.", ("E004", "E006")),
    "integers": ([4, 6.0], "Stroke.", ("E004", "E006")),
    "digits": (["4", "006"], "Stroke.", ("E004", "E006")),
    "objects": ([{"id": "E004", "quote": "Stroke, E11.9"}], "Stroke.", ("E004",)),
    "glossed": (["E004: Stroke at age 69.5"], "Stroke.", ("E004",)),
    "lines": (["line 4", "#6"], "Stroke.", ("E004", "E006")),
    "wide": (["Ｅ００６"], "Stroke.", ("E006",)),
    "null": (None, "Stroke.", ()),
    "true": ([True, "none"], "Stroke.", ()),
    "code of the ICD": (["E11", "E11.9"], "Stroke.", ()),
    "round": ([], "Stroke (E004, E006).", ("E004", "E006")),
    "no-break": ([], "Stroke (E004,\u00a0E006).", ("E004", "E006")),
    "narrow range": ([], "Stroke [E001\u202f–\u202fE003].", ("E001", "E002", "E003")),
    "ampersand": ([], "Stroke (E004 & E006).", ("E004", "E006")),
    "and": ([], "Stroke [E004, E005, and E006].", ("E004", "E005", "E006")),
    "see": ([], "Stroke (see E006).", ("E006",)),
    "evidence": ([], "Stroke (evidence: E006).", ("E006",)),
    "cite": ([], "Stroke [cite: E9].", ("E009",)),
    "cite marks": ([], "[cite_start]Stroke[cite: 6].", ("E006",)),
    "numbers": ([], "Stroke [4, 6].", ("E004", "E006")),
    "numbers apart": ([], "Stroke [4][6].", ("E004", "E006")),
    "cite marks apart": ([], "Stroke [cite: 4] [cite: 6].", ("E004", "E006")),
    "lenticular": ([], "Stroke【E009】.", ("E009",)),
    "lenticular with a place": ([], "Stroke 【E009†L1-L3】.", ("E009",)),
    "double": ([], "Stroke [[E006]].", ("E006",)),
    "one after another": ([], "Stroke [E004][E006].", ("E004", "E006")),
    "raised": ([], "Stroke <sup>E006</sup>.", ("E006",)),
    "caret": ([], "Stroke^E006^.", ("E006",)),
    "before": ([], "E006: Stroke.", ("E006",)),
    "bold before": ([], "**E006** Stroke.", ("E006",)),
    "behind": ([], "Stroke. Sources: E004, E006", ("E004", "E006")),
    "behind a comma": ([], "Stroke, E006.", ("E006",)),
    "markdown": ([], "- **Stroke.** [E006]", ("E006",)),
    "ids as keys": ({"E006": "Cerebral infarction"}, "Stroke.", ("E006",)),
    "a range in German": (["E001 bis E003"], "Stroke.", ("E001", "E002", "E003")),
    "a range of brackets": ([], "Stroke [E001]–[E003].", ("E001", "E002", "E003")),
    "brackets through brackets": ([], "Stroke [E001] through [E003].", ("E001", "E002", "E003")),
    "brackets and brackets": ([], "Stroke [E004] and [E006].", ("E004", "E006")),
    "three brackets": ([], "Stroke [E004], [E005], and [E006].", ("E004", "E005", "E006")),
    "half a range in brackets": ([], "Stroke [E006-8].", ("E006", "E007", "E008")),
    "stop inside": ([], "Stroke (E006.).", ("E006",)),
    "in doubt": ([], "Stroke [E006?].", ("E006",)),
    "gap in an id": ([], "Stroke [E 006].", ("E006",)),
    "a link": ([], "Stroke [E006](#E006).", ("E006",)),
    "LaTeX": ([], "Stroke \\cite{E006}.", ("E006",)),
    "a tag": ([], "Stroke <cite>E006</cite>.", ("E006",)),
    "an attribute": ([], 'Stroke <ref name="E006"/>.', ("E006",)),
    "bare at the end": ([], "Stroke E006.", ("E006",)),
    "wide in the sentence": ([], "Stroke [Ｅ００６].", ("E006",)),
}


@pytest.mark.parametrize("name", CITED)
def test_citations_are_read_in_every_form_and_leave_the_sentence(name: str) -> None:
    evidence, text, cites = CITED[name]
    answer = parsed(body(json.dumps({"claims": [{"text": text, "evidence": evidence}], "verdict": 1})))
    assert [(c.text, c.cites) for c in answer.claims] == [("Stroke.", cites)]


@pytest.mark.parametrize(
    ("text", "cites"),
    [
        ("Diabetes (ICD-10 E11).", ()),
        ("Diabetes (E11).", ()),
        ("Diabetes, coded E119, since 2001.", ()),
        ("Diabetes E11.9 (E110.5).", ()),
        ("As E006 shows, she had a stroke.", ("E006",)),
        ("Takes vitamin E 400 IU.", ()),
        ("A score of [28] of 30.", ()),
        ("Born in [1934] she had a stroke.", ()),
        ("The stroke was in [1998].", ()),
        ("This agrees with E006.", ("E006",)),
        ("Diabetes, E10-E14, is recorded.", ()),
    ],
)
def test_what_is_no_citation_stays_in_the_sentence(text: str, cites: tuple[str, ...]) -> None:
    answer = parsed(body(json.dumps({"claims": [{"text": text, "evidence": []}], "verdict": 1})))
    assert [(c.text, c.cites) for c in answer.claims] == [(text, cites)]


def test_two_digits_are_an_id_where_the_answer_writes_ids_so() -> None:
    claims = [{"text": "Stroke.", "evidence": ["E6"]}, {"text": "Diabetes.", "evidence": ["E11"]}]
    answer = parsed(body(json.dumps({"claims": claims, "verdict": 1})))
    assert [c.cites for c in answer.claims] == [("E006",), ("E011",)]


@pytest.mark.parametrize(
    "claim",
    [
        "Stroke at age 66 [E007].",
        {"claim": "Stroke at age 66.", "evidence": ["E007"]},
        {"Sentence": "Stroke at age 66.", "Citations": "E007"},
        {"finding_text": "Stroke at age 66.", "based_on": ["E007"]},
        {"text": "Stroke at age 66.", "supporting_evidence": [{"line": 7}]},
        {"id": "E007", "text": "Stroke at age 66."},
    ],
)
def test_a_claim_is_read_by_what_it_holds(claim: Any) -> None:
    answer = parsed(body(json.dumps({"claims": [claim], "verdict": 1})))
    assert [(c.text, c.cites) for c in answer.claims] == [("Stroke at age 66.", ("E007",))]


def test_repeated_claims_count_once() -> None:
    claims = [{"text": "Stroke.", "evidence": ["E006"]}] * 40
    answer = parsed(body(json.dumps({"claims": claims, "verdict": 1})))
    assert (len(answer.claims), answer.unread) == (1, 39)


def test_claims_without_a_sentence_are_counted() -> None:
    claims = [
        {"text": "Stroke.", "evidence": []},
        {"evidence": ["E004"]},
        {"text": "[E004]"},
        7,
        None,
        {"text": " "},
    ]
    answer = parsed(body(json.dumps({"claims": claims, "verdict": 1})))
    assert (len(answer.claims), answer.unread) == (1, 5)


def test_the_example_among_claims_is_left_out_and_counted() -> None:
    claims = [{"text": "one sentence without ids", "evidence": ["E001"]}, *CLAIMS]
    answer = parsed(body(json.dumps({"claims": claims, "verdict": 1})))
    assert ([c.text for c in answer.claims], answer.unread) == ([*TEXTS], 1)


@pytest.mark.parametrize(
    "content",
    [
        '{"claims": ["Stroke."], "verdict": 1, "verdict": 0}',
        '{"claims": ["Stroke."]}',
        '[{"text": "Stroke.", "evidence": []}]',
        '{"claims": ["Stroke."], "verdict": "0 or 1"}',
        '{"claims": ["Stroke."], "verdict": 0.7}',
    ],
)
def test_an_unclear_verdict_is_none(content: str) -> None:
    answer = parsed(body(content))
    assert ([c.text for c in answer.claims], answer.verdict) == (["Stroke."], None)


STEPS = ("Risk factors", "Against", "Judgement")


@pytest.mark.parametrize(
    "answer",
    [
        {"claims": [{"section": s, "text": f"About {s}."} for s in STEPS]},
        {
            "claims": [
                {"section": s, "text": f"About {t}."}
                for s, t in zip(("Step 1: risk factors", "2. AGAINST", "Judgment"), STEPS, strict=True)
            ]
        },
        {
            "claims": [
                {"section": s, "text": f"About {t}."}
                for s, t in zip(("Raising", "Lowering", "Verdict"), STEPS, strict=True)
            ]
        },
        {"claims": {s: [f"About {s}."] for s in STEPS}},
        {"claims": {s: f"About {s}." for s in STEPS}},
        {s: [{"text": f"About {s}.", "evidence": []}] for s in STEPS},
        {s.lower(): [f"About {s}."] for s in STEPS},
        {"sections": [{"section": s, "claims": [f"About {s}."]} for s in STEPS]},
        [{"heading": s, "claims": [{"text": f"About {s}."}]} for s in STEPS],
        {"sections": [{"title": s, "claims": [{"text": f"About {s}."}]} for s in STEPS]},
        {"claims": [{"section": i, "text": f"About {s}."} for i, s in enumerate(STEPS, 1)]},
        {"claims": [{"section": "", "text": f"{s}: About {s}."} for s in STEPS]},
        {"claims": [{"section": s, "text": f"About {s}."} for s in reversed(STEPS)]},
        {"claims": [{"section": s.rstrip("s"), "text": f"About {s}."} for s in STEPS]},
    ],
)
def test_sections_are_repaired_where_they_can_be(answer: Any) -> None:
    found = parsed(body(json.dumps(answer)), "stepwise")
    assert [(c.section, c.text) for c in found.claims] == [(s, f"About {s}.") for s in STEPS]


@pytest.mark.parametrize(
    "sections", [("", "", ""), ("Risk factors", "Risk factors", "Judgement"), ("A", "B", "")]
)
def test_an_answer_without_its_sections_is_none(sections: tuple[str, ...]) -> None:
    claims = [{"section": s, "text": f"About {i}."} for i, s in enumerate(sections)]
    found = parsed(body(json.dumps({"claims": claims, "verdict": 1})), "stepwise")
    assert (found.reason, found.claims) == ("no_sections", ())


@pytest.mark.parametrize(
    ("counts", "tokens", "even"),
    [
        ({"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100}, (1000, 100), True),
        ({"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 4100}, (1000, 3100), False),
        (
            {
                "prompt_tokens": 1000,
                "completion_tokens": 100,
                "completion_tokens_details": {"reasoning_tokens": 3000},
            },
            (1000, 3100),
            False,
        ),
        (
            {
                "prompt_tokens": 9,
                "completion_tokens": 100,
                "completion_tokens_details": {"reasoning_tokens": 60},
            },
            (9, 100),
            True,
        ),
        ({"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 100}, (1000, 100), False),
        ({"prompt_tokens": "1000", "completion_tokens": "100"}, (1000, 100), True),
        ({"input_tokens": 7, "output_tokens": 8}, (7, 8), True),
        ({"prompt_tokens": 10, "total_tokens": 30}, (10, 20), True),
        ({"prompt_tokens": None, "completion_tokens": None}, (None, None), True),
    ],
)
def test_tokens_are_counted_with_thinking(
    counts: dict[str, Any], tokens: tuple[int, int], even: bool
) -> None:
    assert usage({"usage": counts}) == tokens
    assert adds_up({"usage": counts}) == even
