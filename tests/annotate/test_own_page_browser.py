"""The grading page of our own in Chromium at 1366 x 768: few keys, nothing lost, everything in view."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from wherefore.annotate.graded import Text
from wherefore.annotate.label_studio.server import free_port
from wherefore.study.records import read_jsonl, write_jsonl
from wherefore.synth.records import Claim, Rationale

pytestmark = pytest.mark.service
LOOK = Path(os.environ.get("WHEREFORE_SCREENSHOTS", ""))
"""Where screenshots go; empty: nowhere."""
SIX = (
    Claim(text="Hypertension since age 61.2 is a midlife vascular risk factor.", cites=("E001",)),
    Claim(text="Type 2 diabetes followed at 64.0, six years before the prediction time.", cites=("E002",)),
    Claim(text="A stroke at 66.4 raises the risk of vascular dementia.", cites=("E003", "E002")),
    Claim(text="A memory complaint was recorded at 69.1 with an MMSE of 24 of 30.", cites=("E004",)),
    Claim(text="No protective treatment stands against these.", cites=("E002", "E003")),
    Claim(text="Together they make an onset within five years likely."),
)


@pytest.fixture
def served(on_server: Any) -> Iterator[Any]:
    path = on_server.run_folder / "synth" / "rationales.jsonl"
    write_jsonl(path, [r.model_copy(update={"claims": SIX}) for r in read_jsonl(path, Rationale)])
    on_server.study(rubric="clinical", items=4, question="Dementia within five years?")
    on_server.call("push")
    with on_server.page():
        yield on_server


def opened(browser: Any, served: Any, rater: str = "ann", **context: Any) -> Any:
    page = browser.new_page(**{"viewport": {"width": 1366, "height": 768}, **context})
    page.errors = []
    page.on("console", lambda m: page.errors.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda e: page.errors.append(str(e)))
    page.goto(served.link(rater))
    page.wait_for_selector(".sentence, .done", timeout=60_000)
    assert "#" not in page.url, "the passphrase does not stay in the address bar"
    return page


def look(page: Any, name: str) -> None:
    if LOOK.name:
        page.screenshot(path=LOOK / f"own_{name}.png")


def in_view(page: Any, selector: str) -> bool:
    box = page.locator(selector).bounding_box()
    return bool(box and box["y"] >= 0 and box["y"] + box["height"] <= 768)


class Keys:
    """Presses keys and counts them; a text counts as none, as in the table of the docs."""

    def __init__(self, page: Any) -> None:
        self.page, self.n = page, 0

    def __call__(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)
            self.n += 1


def sent(page: Any) -> None:
    done(page, 1)


def done(page: Any, n: int) -> None:
    page.wait_for_selector(f'#bar[value="{n}"]', state="attached", timeout=30_000)


def test_two_bad_sentences_and_a_note_take_at_most_18_keys(browser: Any, served: Any) -> None:
    page = opened(browser, served)
    assert page.locator("#place").inner_text() == "1 of 4"
    assert page.locator("#guide").is_visible(), "who comes for the first time is told how to grade"
    look(page, "first")
    keys = Keys(page)
    keys("1", "3", "1", "3", "2", "n")
    page.keyboard.type("He was 66.4, see E003.")
    keys("Enter", "1", "1", "1", "4", "5", "3", "3")
    look(page, "filled")
    keys("Control+Enter")
    sent(page)
    assert keys.n <= 18, keys.n
    assert page.locator("#place").inner_text() == "2 of 4"
    assert page.errors == []
    page.close()
    served.call("pull")
    got = served.state.got
    values = {(r.dimension, r.claim): r.value for r in got.ratings}
    assert [values["support", n] for n in range(6)] == [
        "supported",
        "partly",
        "partly",
        "supported",
        "supported",
        "supported",
    ]
    assert (values["fault", 1], values["fault", 2]) == ("wrong_value", "wrong_time")
    assert [values[d, None] for d in ("accuracy", "faithfulness", "harm", "accept")] == [
        "4",
        "5",
        "none",
        "reject",
    ]
    assert [(n.claim, n.text) for n in got.notes] == [(2, "He was 66.4, see E003.")]


def test_nothing_typed_is_lost(browser: Any, served: Any) -> None:
    """A refused submit, a reload right after a key, a server that is down, the correction box, another browser."""
    page = opened(browser, served)
    keys = Keys(page)
    keys("Escape", "1", "3", "1")
    keys("n")
    page.keyboard.type("Typed and not entered")
    keys("Control+Enter")
    assert "Not sent: still to answer: sentence 3, sentence 4" in page.locator("#alert").inner_text()
    assert page.locator(".sentence.now .number").inner_text() == "3", "it goes to the first that is open"
    assert in_view(page, ".question.now")
    look(page, "refused")
    page.reload()
    page.wait_for_selector(".sentence")
    assert page.locator('[data-text="note_2"]').input_value() == "Typed and not entered"
    keys("1", "1", "1", "1", "4", "4", "3", "2", "e")
    page.keyboard.press("Control+A")
    page.keyboard.type("A stroke at 66.4 raises the risk. [E003]")
    page.reload()
    page.wait_for_selector(".sentence")
    edited = '[data-text="edited"]'
    assert page.locator(edited).input_value() == "A stroke at 66.4 raises the risk. [E003]"
    page.route("**/api/task/*/draft", lambda route: route.abort())
    page.route("**/api/task/*/submit", lambda route: route.abort())
    page.locator(edited).focus()
    page.keyboard.press("End")
    page.keyboard.type(" More.")
    keys("Control+Enter")
    page.locator("#alert", has_text="Not sent").wait_for()
    assert "What you filled in is kept" in page.locator("#alert").inner_text()
    page.unroute("**/api/task/*/draft")
    page.unroute("**/api/task/*/submit")
    page.reload()
    page.wait_for_selector(".sentence")
    assert page.locator(edited).input_value() == "A stroke at 66.4 raises the risk. [E003] More."
    page.locator("#saved", has_text="saved ").wait_for(timeout=30_000)
    page.close()
    other = opened(browser, served)
    assert other.locator(edited).input_value().endswith("[E003] More.")
    other.keyboard.press("Control+Enter")
    sent(other)
    other.close()
    served.call("pull")
    notes = {n.kind: n.text for n in served.state.got.notes}
    assert notes == {
        "note": "Typed and not entered",
        "edited": "A stroke at 66.4 raises the risk. [E003] More.",
    }


def test_the_page_goes_away_and_comes_back_in_the_middle_of_an_item(browser: Any, on_server: Any) -> None:
    """Its server is stopped and started again, then the network is gone: the rater goes on and loses nothing."""
    on_server.study(rubric="clinical", items=2)
    on_server.call("push")
    port = free_port()
    with on_server.page(port):
        page = opened(browser, on_server)
        keys = Keys(page)
        keys("Escape", "1", "1")
        page.locator("#saved", has_text="saved ").wait_for()
    keys("1", "1", "4")
    page.locator("#saved", has_text="not saved yet").wait_for()
    keys("4", "3", "1", "Control+Enter")
    page.locator(
        "#alert", has_text="Not sent: the server does not answer. What you filled in is kept."
    ).wait_for()
    page.locator("#saved", has_text="not saved yet").wait_for()
    with on_server.page(port):
        page.locator("#saved", has_text="saved ").wait_for(timeout=30_000)
        assert len(page.locator('[aria-checked="true"]').all()) == 8, "saved without another key"
        page.context.set_offline(True)
        keys("c")
        page.keyboard.type("On the train.")
        page.locator("#saved", has_text="not saved yet").wait_for()
        keys("Control+Enter")
        page.locator("#alert", has_text="Not sent").wait_for()
        page.context.set_offline(False)
        page.reload()
        page.wait_for_selector(".sentence")
        assert page.locator('[data-text="comment"]').input_value() == "On the train."
        keys("Control+Enter")
        sent(page)
        page.close()
    on_server.call("pull")
    assert [n.text for n in on_server.state.notes()] == ["On the train."]
    assert list(on_server.values("ann", "accuracy").values()) == ["4"]
    assert set(on_server.faults().values()) <= {"seconds_out_of_range"}


def test_a_phone_of_390_pixels_by_taps(browser: Any, served: Any) -> None:
    phone = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
    page = opened(browser, served, **phone)
    look(page, "phone_guide")
    page.locator("#show-guide").tap()
    wide = "document.documentElement.scrollWidth > innerWidth || document.documentElement.scrollHeight > innerHeight"
    assert not page.evaluate(wide), "nothing is cut off"
    look(page, "phone")
    for n in range(1, 7):
        answer = "partly" if n == 2 else "supported"
        chip = page.locator(f'[data-key="support_{n}"] [data-value="{answer}"]')
        assert chip.bounding_box()["height"] >= 32, "large enough for a finger"
        chip.tap()
    page.locator('[data-key="fault_2"] [data-value="wrong_time"]').tap()
    page.locator('[data-text="note_2"]').fill("At 64.0.")
    page.locator("#send").tap()
    page.locator("#alert", has_text="still to answer: Medical accuracy").wait_for()
    look(page, "phone_refused")
    for key, value in (("accuracy", "4"), ("faithfulness", "5"), ("harm", "none"), ("accept", "edit")):
        page.locator(f'[data-key="{key}"] [data-value="{value}"]').tap()
    page.locator('[data-text="edited"]').fill("A stroke at 66.4 raises the risk. [E003]")
    assert page.locator("#alert").inner_text() == "", "nothing is lacking any more"
    look(page, "phone_filled")
    assert not page.evaluate(wide)
    page.locator("#send").tap()
    sent(page)
    assert page.errors == []
    page.close()
    served.call("pull")
    assert list(served.values("ann", "accept").values()) == ["edit"]
    assert {n.kind: n.text for n in served.state.notes()} == {
        "note": "At 64.0.",
        "edited": "A stroke at 66.4 raises the risk. [E003]",
    }


def test_evidence_lights_up_both_ways_and_the_decision_is_in_view(browser: Any, served: Any) -> None:
    page = opened(browser, served)
    page.keyboard.press("Escape")
    assert in_view(page, '.question[data-key="accept"]')
    for n in (1, 2, 3, 6):
        assert in_view(page, f'.sentence[data-sentence="{n}"]'), n
    lit = ".row.lit .id"
    assert page.locator(lit).all_inner_texts() == ["E001"], (
        "the sentence that is graded lights up its evidence"
    )
    page.keyboard.press("1")
    page.keyboard.press("1")
    assert page.locator(lit).all_inner_texts() == ["E002", "E003"]
    page.locator('.sentence[data-sentence="4"] .words').hover()
    assert page.locator(lit).all_inner_texts() == ["E004"]
    page.locator('.row[data-id="E003"]').hover()
    assert page.locator(".sentence.lit .number").all_inner_texts() == ["3", "5"]
    look(page, "lit")
    for key in ("1", "4", "1", "1"):
        page.keyboard.press(key)
    assert in_view(page, '.question[data-key="accept"]')
    page.close()


def test_a_contradiction_is_asked_about_and_a_skip_needs_a_reason(browser: Any, served: Any) -> None:
    page = opened(browser, served)
    keys = Keys(page)
    keys("Escape", "1", "1", "1", "1", "1", "1", "1", "3", "3", "1", "Control+Enter")
    page.wait_for_selector("#ask-sure[open]")
    assert "unusable, and the rationale is accepted" in page.locator("#doubts").inner_text()
    look(page, "sure")
    keys("Escape")
    assert not page.locator("#ask-sure").is_visible()
    keys("Control+Enter")
    page.wait_for_selector("#ask-sure[open]")
    keys("y")
    sent(page)
    page.wait_for_selector(".sentence")
    keys("s", "Control+Enter")
    assert page.locator("#ask-skip").is_visible(), "not without a reason"
    page.keyboard.type("I know this patient.")
    keys("Control+Enter")
    done(page, 2)
    assert page.locator("#left").inner_text().startswith("about")
    page.locator("#show-items").click()
    look(page, "items")
    page.locator("#items .item").first.click()
    page.locator("#alert", has_text="You have sent this item").wait_for()
    for _ in range(6):
        keys("ArrowDown")
    keys("4", "Control+Enter")
    page.locator("#place", has_text="3 of 4").wait_for()
    page.close()
    served.call("pull")
    assert list(served.values("ann", "accuracy").values()) == ["4"]
    assert [f.detail for f in served.state.got.faults if f.fault == "skipped"] == [
        "the rater skipped it: I know this patient."
    ]


def test_by_tab_and_space_alone_and_readable_in_the_dark(browser: Any, served: Any, contrast: str) -> None:
    page = opened(browser, served, color_scheme="dark")
    page.keyboard.press("Escape")
    page.locator(".question.now .chip").first.focus()
    page.keyboard.press("Space")
    assert (
        page.locator('.question[data-key="support_1"] [aria-checked="true"]')
        .inner_text()
        .endswith("Supported")
    )
    assert page.locator(".sentence.now .number").inner_text() == "2"
    for part in (".words", ".row .name", ".row .when", ".chip", ".title", "#person"):
        assert page.locator(part).last.evaluate(contrast) >= 4.5, part
    look(page, "dark")
    page.close()


def test_adjudication_shows_why_who_said_what_and_what_is_agreed(browser: Any, served: Any) -> None:
    served.study(people=["ann", "ben", "carla"], rounds={"adjudicator": "carla"})
    served.call("push")
    good = {"accuracy": "4", "faithfulness": "4", "harm": "none"}
    items = served.order("ann")
    for rater in ("ann", "ben"):
        for n, item in enumerate(items):
            values = good | {"accept": "reject" if (rater, n) == ("ben", 0) else "accept"}
            if n == 1:
                values |= {"accept": "edit", "accuracy": "3" if rater == "ben" else "4"}
            texts = [
                Text(
                    kind="edited",
                    text=f"A stroke at 66.4, says {'one' if rater == 'ann' else 'another'}. [E003]",
                )
            ]
            served.grade(rater, item, values, texts=texts if n == 1 else ())
    served.call("pull")
    assert served.state.due == "adjudication"
    served.call("push")
    page = opened(browser, served, "carla")
    page.keyboard.press("Escape")
    first = page.locator("#disagreement .head").inner_text()
    order = {"You decide: no consensus: accept.": 0, "You decide: the raters' corrections differ.": 1}
    assert first in order
    seen = []
    for n in range(2):
        why = page.locator("#disagreement .head").inner_text()
        seen.append(why)
        differ = page.locator("tr.differ th").all_inner_texts()
        assert differ == (["Decision"] if order[why] == 0 else ["Medical accuracy"])
        assert page.locator("th", has_text="Rater").all_inner_texts() == ["Rater A", "Rater B"]
        assert not [name for name in ("ann", "ben") if name in page.locator("body").inner_text().split()]
        assert page.locator('.agreed[data-key="support_1"] [aria-checked="true"]').count() == 1, (
            "agreed answers stand there"
        )
        look(page, f"adjudication_{order[why]}")
        if order[why] == 0:
            assert "A " in page.locator('.question[data-key="accept"] .said').inner_text()
            page.keyboard.press("3")
        else:
            page.locator(".edit button").first.click()
            page.keyboard.press("Shift+Enter")
            page.keyboard.press("4")
        page.keyboard.press("Control+Enter")
        done(page, n + 1)
        page.wait_for_selector(".done" if n else ".sentence")
    assert sorted(seen) == sorted(order)
    page.close()
    served.call("pull")
    verdicts = {v.rationale: v for v in served.state.verdicts()}
    plan = served.state.plan
    decided = [verdicts[plan.items[i].rationale] for i in items]
    assert [v.state for v in decided] == ["rejected", "accepted", "accepted", "accepted"]
    assert decided[1].edited is not None
    assert decided[1].edited.startswith("A stroke at 66.4, says")
    assert [v.adjudicator for v in decided] == ["carla", "carla", None, None]
