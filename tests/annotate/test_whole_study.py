"""A grading study from the first push to the verdicts, in Chromium by keyboard, while things happen to its people.

Three raters, calibration, 24 items, adjudication. A rater leaves, an address is corrected, the rubric is changed once
so that forms are void and once in words only, and the page is killed in the middle of an item.
"""

from collections.abc import Callable, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from wherefore.annotate.label_studio.server import free_port
from wherefore.annotate.records import Verdict
from wherefore.study import layout
from wherefore.study.records import read_jsonl, write_jsonl
from wherefore.synth.records import Claim, Rationale

pytestmark = [pytest.mark.service, pytest.mark.slow, pytest.mark.timeout(900)]
RUBRIC = (files("wherefore.templates") / "grading" / "rubrics" / "clinical.toml").read_text()
TEXT = "A stroke at 66.4 raises the risk. [E003]"
ACCEPT, EDIT, REJECT = "1", "2", "3"
"""Keys of the decision."""


def decision(rater: str, number: int) -> str:
    """What each rater decides about the item of that place; the third rater accepts everything."""
    if rater == "dora":
        return {4: REJECT, 6: REJECT, 8: EDIT}.get(number, ACCEPT)
    every = {"ann": 4, "ben": 6}.get(rater, 1000)
    return REJECT if number % every == 0 and rater != "carla" else ACCEPT


def expected(number: int, carla_graded: bool) -> tuple[str, str | None]:
    """State and corrected text, by hand: ann rejects 0, 4, 8, ...; ben 0, 6, 12, ...; carla nothing."""
    if number in (0, 12):
        return "rejected", None  # both, against one at most
    if number in (4, 6, 8, 16, 18, 20) and not carla_graded:  # one of two: dora decides
        return {4: ("rejected", None), 6: ("rejected", None), 8: ("accepted", TEXT)}.get(
            number, ("accepted", None)
        )
    return "accepted", None


class AtThePage:
    """One rater at the keyboard."""

    def __init__(self, browser: Any, run: Any, rater: str) -> None:
        self.rater, self.page = rater, browser.new_page(viewport={"width": 1366, "height": 768})
        self.errors: list[str] = []
        self.page.on("pageerror", lambda e: self.errors.append(str(e)))
        self.page.goto(run.link(rater))
        self.page.wait_for_selector(".sentence, .done", timeout=60_000)
        self.page.keyboard.press("Escape")

    @property
    def item(self) -> str:
        """Which rationale is shown, by the number in its text."""
        return str(self.page.locator(".words").last.inner_text().split()[1])

    @property
    def done(self) -> int:
        return int(self.page.locator("#bar").get_attribute("value"))

    def grade(self, key: Callable[[str], str], *, submit: bool = True) -> None:
        """Grade the item in view: sentences supported, 4 and 4, no harm, and the decision."""
        done, item = self.done, self.item
        # What all raters said is filled in for an adjudicator, and only the decision is open.
        answers = ["1", "1", "4", "4", "3"] if self.rater != "dora" else []
        for press in [*answers, key(item)]:
            self.page.keyboard.press(press)
        if key(item) == EDIT:
            self.page.keyboard.press("e")
            self.page.keyboard.press("Control+A")
            self.page.keyboard.type(TEXT)
        if submit:
            self.page.keyboard.press("Control+Enter")
            self.page.wait_for_selector(f'#bar[value="{done + 1}"]', state="attached", timeout=30_000)

    def close(self) -> None:
        assert self.errors == []
        self.page.close()


def graded(browser: Any, run: Any, raters: Mapping[str, int], key: Callable[[str, str], str]) -> None:
    """Each rater grades so many of their open items."""
    for rater, n in raters.items():
        at = AtThePage(browser, run, rater)
        for _ in range(n):
            at.grade(lambda item, who=rater: key(who, item))  # type: ignore[misc]
        at.close()


def test_a_study_from_push_to_verdicts(browser: Any, on_server: Any, start: Any, tmp_path: Path) -> None:
    run, port = on_server, str(free_port())
    path = run.run_folder / "synth" / "rationales.jsonl"
    rationales = [
        r.model_copy(
            update={
                "claims": (
                    Claim(text="A stroke at 66.4 adds vascular risk.", cites=("E003",)),
                    Claim(text=f"Number {n} is therefore at raised risk."),
                )
            }
        )
        for n, r in enumerate(read_jsonl(path, Rationale))
    ]
    write_jsonl(path, rationales)
    number = {r.id: str(n) for n, r in enumerate(rationales)}
    rubric = tmp_path / "rubric.toml"
    rubric.write_text(RUBRIC)
    misspelt = {"name": "carla", "email": "karla@clinic.example"}
    run.study(
        rubric=str(rubric),
        items=24,
        people=["ann", "ben", misspelt, "dora"],
        rounds={"calibration": 2, "gate": "accuracy", "gate_alpha": 0.5, "adjudicator": "dora"},
    )
    run.call("push")
    page = start(run, "page", "--port", port)
    everybody = {"ann": 2, "ben": 2, "carla": 2}

    def varied(who: str, item: str) -> str:
        return ACCEPT

    graded(browser, run, everybody, varied)
    run.call("pull")

    # A category gets another name: what was graded is void, and is graded again in a new round.
    changed = RUBRIC.replace(
        'categories = ["serious", "minor", "none"]', 'categories = ["serious", "slight", "none"]'
    )
    assert changed != RUBRIC
    rubric.write_text(changed)
    said = run.call("push", code=1)
    assert "6 forms graded by the earlier one do not count (6 of the calibration round)" in said
    run.call("push", "--new-round")
    graded(browser, run, everybody, varied)
    run.call("pull")
    said = run.call("push", code=3)
    assert "alpha of accuracy on the calibration round cannot be computed" in said, (
        "everybody said 4 of everything"
    )

    # Main round; an address is corrected, and the words of an anchor.
    run.study(people=["ann", "ben", {"name": "carla", "email": "carla@clinic.example"}, "dora"])
    run.call("push", "--past-gate")
    items = sorted(
        (i for i in run.state.plan.items.values() if i.round == "main"),
        key=lambda i: int(number[i.rationale]),
    )
    assert len(items) == 24
    place = {number[i.rationale]: n for n, i in enumerate(items)}

    def key(who: str, item: str) -> str:
        return decision(who, place[item])

    graded(browser, run, {"ann": 10, "ben": 5, "carla": 12}, key)
    rubric.write_text(changed.replace("4 nearly right", "4 almost right"))
    assert "keep the forms with `--reworded`" in run.call("push", code=1)
    run.call("push", "--reworded")

    # The page is killed in the middle of an item and started again.
    ann = AtThePage(browser, run, "ann")
    assert (ann.done, ann.page.locator(".chip", has_text="almost right").count()) == (10, 1)
    ann.grade(lambda item: key("ann", item), submit=False)
    ann.page.keyboard.press("c")
    page.process.kill()
    page.process.wait()
    ann.page.keyboard.type("Typed while nobody listened.")
    ann.page.keyboard.press("Control+Enter")
    ann.page.locator("#alert", has_text="Not sent").wait_for()
    start(run, "page", "--port", port)
    ann.page.reload()
    ann.page.wait_for_selector(".sentence")
    ann.page.keyboard.press("Escape")
    assert ann.page.locator('[data-text="comment"]').input_value() == "Typed while nobody listened."
    ann.page.keyboard.press("Control+Enter")
    ann.page.wait_for_selector('#bar[value="11"]', state="attached")
    for _ in range(13):
        ann.grade(lambda item: key("ann", item))
    ann.close()

    # Carla leaves. What she graded counts, and the round ends without her.
    run.call("pull")
    carlas = set(run.values("carla", "accept"))
    assert len(carlas) == 12
    run.study(people=["ann", "ben", "dora"])
    run.call("push")
    graded(browser, run, {"ben": 19}, key)
    run.call("pull")
    assert run.state.due == "adjudication"
    undecided = [n for n, i in enumerate(items) if n in (4, 6, 8, 16, 18, 20) and i.id not in carlas]
    assert undecided, "by its seed"
    run.call("push")
    graded(browser, run, {"dora": len(undecided)}, key)
    run.call("pull")
    run.call("run")

    verdicts = {v.rationale: v for v in read_jsonl(layout.VERDICTS.at(run.run_folder), Verdict)}
    assert len(verdicts) == 24
    for n, item in enumerate(items):
        v = verdicts[item.rationale]
        assert (v.state, v.edited) == expected(n, item.id in carlas), (n, v)
        assert v.n_raters == 2 + (item.id in carlas)
        assert v.adjudicator == ("dora" if n in undecided else None)
    comments = [n for n in run.state.notes() if n.kind == "comment"]
    assert [(n.rater, n.text) for n in comments] == [("ann", "Typed while nobody listened.")]
    wrong = {f.fault for f in run.state.got.faults}
    assert wrong <= {"earlier_rubric", "seconds_out_of_range"}
    assert sum(f.fault == "earlier_rubric" for f in run.state.got.faults) == 6
