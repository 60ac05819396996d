"""The grading page in a real browser: signed in by the printed link, graded by keyboard alone, pulled as given."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from wherefore.annotate import rounds
from wherefore.annotate.label_studio import accounts
from wherefore.annotate.label_studio.pull import pull
from wherefore.annotate.label_studio.push import push
from wherefore.annotate.run import resolve
from wherefore.study.config import Study
from wherefore.study.records import read_jsonl, write_jsonl
from wherefore.synth.records import Claim, Rationale

Make = Callable[..., Study]
LOOK = Path(os.environ.get("WHEREFORE_SCREENSHOTS", ""))
"""Where screenshots go; empty: into the test's own folder."""

SEVEN = (
    Claim(text="At 70 she is at an age at which dementia begins to be common.", cites=("E001",)),
    Claim(text="Hypertension since age 61.2 is a midlife vascular risk factor.", cites=("E001",)),
    Claim(text="Type 2 diabetes followed at 64.0, six years before the prediction time.", cites=("E002",)),
    Claim(
        text="A stroke at 66.4 raises the risk of vascular dementia and of mixed forms.",
        cites=("E003", "E002"),
    ),
    Claim(text="A memory complaint was recorded at 69.1 with an MMSE of 24 of 30.", cites=("E004",)),
    Claim(text="No protective treatment stands against these in the record.", cites=("E002", "E003")),
    Claim(text="Together they make an onset within five years likely."),
)


TWELVE = (
    *SEVEN[:6],
    *(Claim(text=f"Finding {k} stands in the record.", cites=("E002",)) for k in range(7, 12)),
    SEVEN[6],
)


QUESTION = "Alzheimer's disease or a related dementia within five years?"


def pushed(
    label_studio: Any, home: Path, study: Make, claims: tuple[Claim, ...], items: int = 2, **more: Any
) -> Any:
    """Items with these sentences in ann's project; the study, the state, the project and the folder."""
    path = home / "synth" / "rationales.jsonl"
    write_jsonl(path, [r.model_copy(update={"claims": claims}) for r in read_jsonl(path, Rationale)])
    s = study(
        raters="label_studio", items=items, people=["ann"], question=QUESTION, verdict={"at_least": 1}, **more
    )
    state = rounds.people(s, resolve(s), home)
    done = push(state.plan, label_studio.admin, home / "annotate", "main")
    return s, state, done[0].project, home


@pytest.fixture
def stage(label_studio: Any, graded: Path, study: Make) -> Any:
    """Two items of seven sentences in ann's project."""
    return pushed(label_studio, graded, study, SEVEN)


def sign_in(browser: Any, label_studio: Any, project: int, size: tuple[int, int] = (1600, 1000)) -> Any:
    """Open the printed link as ann and sign in, as a person would."""
    email = "ann@raters.example.com"
    page = browser.new_page(viewport={"width": size[0], "height": size[1]})
    page.goto(accounts.link(label_studio.state.url, project))
    page.fill("input[name=email]", email)
    page.fill("input[name=password]", label_studio.state.raters[email])
    page.keyboard.press("Enter")
    page.wait_for_selector(".wf-claim", timeout=60_000)
    page.wait_for_timeout(500)
    return page


def to(page: Any, name: str) -> None:
    """Tab until the control of that name has the focus."""
    for _ in range(120):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.name") == name:
            return
    raise AssertionError(f"Tab does not reach {name}")


def ticked(page: Any) -> list[str]:
    """Labels of everything that is ticked, in the order of the page's source."""
    return [t.strip() for t in page.locator(".ant-radio-wrapper-checked").all_inner_texts()]


CLEAN = ["1", "2", "3", "4", "5", "6", "7", "t", "f", "c", "y"]
"""Every sentence supported, 5, 4, no harm, accept."""


def graded_values(s: Study, home: Path, plan: Any, label_studio: Any) -> tuple[dict[Any, str], list[Any]]:
    """What is pulled, by dimension and claim, and the notes."""
    pull(plan, label_studio.admin, home / "annotate")
    got = rounds.people(s, resolve(s), home).got
    assert {f.fault for f in got.faults} <= {"seconds_out_of_range", "contradiction"}, (
        "a program grades faster than a person can"
    )
    return {(r.dimension, r.claim): r.value for r in got.ratings}, list(got.notes)


def submitted(page: Any) -> None:
    """Submit by keyboard and wait for the server to have it."""
    with page.expect_response(
        lambda r: "/annotations" in r.url and r.request.method == "POST", timeout=30_000
    ):
        page.keyboard.press("Control+Enter")


@pytest.mark.service
def test_a_clean_rationale_takes_twelve_keys_and_comes_back_exactly(
    label_studio: Any, browser: Any, stage: Any, tmp_path: Path
) -> None:
    s, state, project, home = stage
    page = sign_in(browser, label_studio, project)
    page.screenshot(path=(LOOK if LOOK.name else tmp_path) / "empty.png")
    for stray in "pojklvbnm890":
        page.keyboard.press(stray)
    assert ticked(page) == [], "a stray key changed a grade"
    for key in CLEAN:
        page.keyboard.press(key)
    page.screenshot(path=(LOOK if LOOK.name else tmp_path) / "filled.png")
    assert len(CLEAN) + 1 <= 13
    submitted(page)
    page.close()
    values, notes = graded_values(s, home, state.plan, label_studio)
    expected: dict[Any, str] = {("support", i): "supported" for i in range(7)}
    expected |= {
        ("accuracy", None): "5",
        ("faithfulness", None): "4",
        ("harm", None): "none",
        ("accept", None): "accept",
    }
    assert values == expected
    assert notes == []


@pytest.mark.service
def test_faults_and_notes_by_keyboard(label_studio: Any, browser: Any, stage: Any, tmp_path: Path) -> None:
    s, state, project, home = stage
    page = sign_in(browser, label_studio, project)
    assert "<MMSE 24/30 & falling>" in page.locator(".wf-left").inner_text(), "escaped, and shown as written"
    for key in [*CLEAN, "Shift+3", "Alt+Shift+4", "Control+Shift+5", "Control+Alt+6"]:
        page.keyboard.press(key)
    for name in ("Invented 3", "note_3", "Wrong time 4", "Unsafe 5"):
        to(page, name)
        if name.startswith("note"):
            page.keyboard.type("Not in E002.")
            page.keyboard.press("Enter")
        else:
            page.keyboard.press("Space")
    page.screenshot(path=(LOOK if LOOK.name else tmp_path) / "faults.png")
    submitted(page)
    page.close()
    values, notes = graded_values(s, home, state.plan, label_studio)
    marks = [values["support", i] for i in range(7)]
    assert marks == [
        "supported",
        "supported",
        "not_in_record",
        "partly",
        "contradicted",
        "inference",
        "supported",
    ]
    faults = {claim: v for (d, claim), v in values.items() if d == "fault"}
    assert faults == {2: "invented", 3: "wrong_time", 4: "unsafe"}
    assert [(n.kind, n.claim, n.text) for n in notes] == [("note", 2, "Not in E002.")]


@pytest.mark.service
def test_twelve_sentences_and_a_correction_by_keyboard(
    label_studio: Any, browser: Any, graded: Path, study: Make, tmp_path: Path
) -> None:
    s, state, project, home = pushed(label_studio, graded, study, TWELVE, items=1)
    page = sign_in(browser, label_studio, project)
    page.screenshot(path=(LOOK if LOOK.name else tmp_path) / "twelve.png")
    for key in "1234567890":
        page.keyboard.press(key)
    assert len(ticked(page)) == 10, "each digit ticks one sentence"
    for key in ("Control+Alt+Shift+1", "Control+Alt+Shift+2"):
        page.keyboard.press(key)
    assert len(ticked(page)) == 12
    to(page, "Partly 11")
    page.keyboard.press("Space")
    to(page, "Wrong time 11")
    page.keyboard.press("Space")
    for key in "tfcu":
        page.keyboard.press(key)
    to(page, "edited")
    page.keyboard.press("Control+A")
    page.keyboard.type("A stroke at 66.4 raises the risk. [E003]")
    page.screenshot(path=(LOOK if LOOK.name else tmp_path) / "twelve_filled.png")
    page.keyboard.press("Shift+Enter")
    submitted(page)
    page.close()
    values, notes = graded_values(s, home, state.plan, label_studio)
    assert [values["support", i] for i in range(12)] == ["supported"] * 10 + ["partly"] + ["supported"]
    assert values["fault", 10] == "wrong_time"
    assert values["accept", None] == "edit"
    assert [(n.kind, n.text) for n in notes] == [("edited", "A stroke at 66.4 raises the risk. [E003]")]


@pytest.mark.service
def test_a_box_that_is_opened_and_left_alone_is_no_correction(
    label_studio: Any, browser: Any, stage: Any
) -> None:
    s, state, project, home = stage
    page = sign_in(browser, label_studio, project)
    for key in [*CLEAN[:-1], "u"]:
        page.keyboard.press(key)
    to(page, "edited")
    page.keyboard.press("Shift+Enter")
    submitted(page)
    page.close()
    pull(state.plan, label_studio.admin, home / "annotate")
    got = rounds.people(s, resolve(s), home).got
    assert "unchanged_edit" in {f.fault for f in got.faults}
    assert got.notes == ()
    assert {r.value for r in got.ratings if r.dimension == "accept"} == {"edit"}


@pytest.mark.service
def test_one_screen_at_1600_usable_at_1366_and_readable_in_the_dark(
    label_studio: Any, browser: Any, stage: Any, tmp_path: Path, contrast: str
) -> None:
    look = LOOK if LOOK.name else tmp_path
    page = sign_in(browser, label_studio, stage[2])
    fits = "e => e.scrollHeight <= e.clientHeight + 1 && e.scrollWidth <= e.clientWidth + 1"
    assert page.locator(".wf-bar").inner_text().startswith(f"{QUESTION}\nAge 70.0 at the prediction")
    assert page.locator(".wf-right").evaluate(fits), "a typical rationale takes one screen at 1600 x 1000"
    page.set_viewport_size({"width": 1366, "height": 768})
    page.wait_for_timeout(300)
    page.screenshot(path=look / "small.png")
    assert page.locator(".wf-right").evaluate("e => e.scrollWidth <= e.clientWidth + 1")
    assert page.locator(".wf-right").evaluate(fits), "and one at 1366 x 768"
    for row in page.locator(".wf-claim .wf-body .lsf-choices, .wf-row .lsf-choices").all():
        tops = row.locator(".lsf-choice").evaluate_all("es => es.map(e => e.getBoundingClientRect().top)")
        assert max(tops) - min(tops) < 2, "the answers to a question stay on one line"
    page.set_viewport_size({"width": 1600, "height": 1000})
    for _ in range(3):  # automatic, light, dark, in an order of Label Studio's own
        if page.evaluate("document.documentElement.dataset.colorScheme") == "dark":
            break
        page.get_by_role("button", name="Light").or_(page.get_by_role("button", name="Dark")).or_(
            page.get_by_role("button", name="Auto")
        ).first.click()
        page.wait_for_timeout(300)
    for key in CLEAN[:-1]:
        page.keyboard.press(key)
    page.keyboard.press("Shift+3")
    page.wait_for_timeout(300)
    page.screenshot(path=look / "dark.png")
    for part in (".wf-body", ".tl-row", ".tl-id", ".wf-fix label", ".wf-row label"):
        assert page.locator(part).last.evaluate(contrast) >= 4.5, part
    page.close()
