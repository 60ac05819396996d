"""What can go wrong on a real Label Studio is found and listed; nothing is swallowed and nothing is lost."""

import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from wherefore.annotate import rounds
from wherefore.annotate.graded import GradedForm, Mark
from wherefore.annotate.label_studio import accounts, forms, server
from wherefore.annotate.label_studio.client import Server
from wherefore.annotate.label_studio.ledger import read as ledger
from wherefore.annotate.label_studio.ledger import save
from wherefore.annotate.label_studio.pull import pull
from wherefore.annotate.label_studio.push import push, restore
from wherefore.annotate.run import resolve
from wherefore.study.config import Study
from wherefore.study.errors import ServiceError

Make = Callable[..., Study]
pytestmark = pytest.mark.service


class Project:
    """Ann's and Ben's projects with `n` items of the short rubric, on the server."""

    def __init__(self, label_studio: Any, home: Path, s: Study) -> None:
        self.ls, self.home, self.study = label_studio, home, s
        self.folder = home / "annotate"
        self.plan = rounds.people(s, resolve(s), home).plan
        push(self.plan, label_studio.admin, self.folder, "main")
        self.id = {p.rater: p.project for p in ledger(self.folder).places}
        self.tasks = {
            rater: {item: held[0].id for item, held in label_studio.admin.held(id).items()}
            for rater, id in self.id.items()
        }
        self.items = sorted(self.tasks["ann"])

    def form(self, sound: str = "yes", harm: str = "none") -> list[Any]:
        marks = (Mark(dimension="sound", value=sound), Mark(dimension="harm", value=harm))
        return forms.write(GradedForm(item="", rater="", round="main", marks=marks))

    def grade(
        self, rater: str, n: int, form: list[Any] | None = None, by: str | None = None, **more: Any
    ) -> int:
        task = self.tasks[rater][self.items[n]]
        return int(self.ls.submit(by or rater, task, self.form() if form is None else form, **more))

    def pull(self, **how: Any) -> Any:
        self.pulled = pull(self.plan, self.ls.admin, self.folder, **how)
        return rounds.people(self.study, resolve(self.study), self.home).got

    def values(self, got: Any, rater: str) -> dict[int, str]:
        found = {r.item: r.value for r in got.ratings if r.rater == rater and r.dimension == "sound"}
        return {self.items.index(item): value for item, value in found.items()}


@pytest.fixture
def project(label_studio: Any, graded: Path, study: Make) -> Project:
    return Project(
        label_studio, graded, study(raters="label_studio", rubric="short", items=8, people=["ann", "ben"])
    )


def test_everything_odd_is_listed(project: Project) -> None:
    project.grade("ann", 0)
    edited = project.grade("ann", 1)
    project.ls.session("ben").patch(f"/api/annotations/{edited}/", json={"result": project.form("no")})
    project.grade("ann", 2)
    project.grade("ann", 2, project.form("no"))
    renamed = [{**c, "from_name": "soundness"} if c["from_name"] == "sound" else c for c in project.form()]
    project.grade("ann", 3, renamed)
    project.grade("ann", 4, project.form(harm="catastrophic"))
    project.grade("ann", 5, project.form()[:1])
    project.grade("ann", 6, by="ben")
    project.grade("ann", 7, seconds=1.5)
    got = project.pull()
    found = {(project.items.index(f.item), f.fault, f.counted) for f in got.faults}
    assert found == {
        (1, "foreign_edit", False),
        (2, "duplicate_annotation", False),
        (3, "unknown_control", False),
        (3, "missing", False),
        (4, "unknown_value", False),
        (4, "missing", False),
        (5, "missing", False),
        (6, "foreign_annotation", False),
        (7, "seconds_out_of_range", True),
    }
    assert project.values(got, "ann") == {0: "yes", 2: "no", 7: "yes"}, (
        "the latest of two counts, odd ones do not"
    )


def test_pull_reads_what_changed_and_keeps_edits_skips_and_deletions(project: Project) -> None:
    first = project.grade("ann", 0, seconds=42.0)
    second = project.grade("ann", 1)
    project.grade("ben", 0)
    got = project.pull()
    assert {r.seconds for r in got.ratings if r.rater == "ann" and r.item == project.items[0]} == {42.0}
    time.sleep(6)  # past the overlap of two pulls
    project.pull()
    project.pull()
    assert [p.changed for p in project.pulled] == [0, 0]
    ann = project.ls.session("ann")
    assert ann.patch(f"/api/annotations/{first}/", json={"result": project.form("no")}).status_code == 200
    assert ann.delete(f"/api/annotations/{second}/").status_code == 204
    project.grade("ann", 2, [], was_cancelled=True)
    got = project.pull()
    assert [p.changed for p in project.pulled] == [3, 0]
    assert project.values(got, "ann") == {0: "no"}
    assert [(f.fault, project.items.index(f.item)) for f in got.faults] == [("skipped", 2)]
    assert ("main", "ann", project.items[2]) in got.done, "a skipped item needs no more work"
    again = project.pull(full=True)
    assert again.ratings == got.ratings


def test_a_form_changed_by_hand_is_refused_and_can_be_put_back(project: Project) -> None:
    project.grade("ann", 0)
    before = project.pull()
    xml = project.ls.admin.project(project.id["ben"]).config
    project.ls.admin.change(project.id["ben"], config=xml.replace('name="sound"', 'name="soundness"'))
    with pytest.raises(ServiceError, match="its labeling interface was changed on the server after the push"):
        project.pull()
    assert rounds.people(project.study, resolve(project.study), project.home).got == before, "nothing lost"
    assert len(restore(project.plan, project.ls.admin, project.folder)) == 1
    assert project.pull() == before


def test_a_pull_from_the_wrong_project_is_refused(project: Project) -> None:
    led = ledger(project.folder)
    ann, ben = led.at("main", "ann"), led.at("main", "ben")
    assert ann is not None
    assert ben is not None
    other = [ann.model_copy(update={"project": ben.project}), ben]
    save(project.folder, led.model_copy(update={"places": tuple(other)}))
    with pytest.raises(ServiceError, match=rf"project {ben.project} is '.* main ben' and not '.* main ann'"):
        project.pull()
    other[0] = ann.model_copy(update={"project": 10**6})
    save(project.folder, led.model_copy(update={"places": tuple(other)}))
    with pytest.raises(ServiceError, match="has no project 1000000, or this account may not see it"):
        project.pull()


def test_a_new_text_is_a_new_item_and_graded_old_ones_stay(project: Project, study: Make) -> None:
    project.grade("ann", 0)
    old = project.plan.items[project.items[0]]
    path = project.home / "synth" / "rationales.jsonl"
    text = path.read_text().replace("A stroke at 66.4 adds", "The stroke at 66.4 adds")
    path.write_text(text)
    plan = rounds.people(project.study, resolve(project.study), project.home).plan
    done = push(plan, project.ls.admin, project.folder, "main")
    assert [(p.added, p.removed, p.left, p.superseded) for p in done] == [(8, 0, 7, 1), (8, 0, 8, 0)], (
        "nothing on the server is deleted unless asked"
    )
    done = push(plan, project.ls.admin, project.folder, "main", prune=True)
    assert [(p.added, p.removed, p.left, p.superseded) for p in done] == [(0, 7, 0, 1), (0, 8, 0, 0)]
    assert old.id not in plan.items
    assert {i.rationale for i in plan.items.values()} == {i.rationale for i in project.plan.items.values()}
    got = rounds.people(project.study, resolve(project.study), project.home).got
    assert got.ratings == (), "grades of the old text are not grades of the new one"


def test_either_kind_of_token_and_what_is_said_of_a_wrong_one(project: Project) -> None:
    state = project.ls.state
    with accounts.signed_in(state.url, server.ADMIN, state.password) as http:
        csrf = {"X-CSRFToken": http.cookies["csrftoken"], "Referer": state.url}
        personal = http.post("/api/token/", headers=csrf).json()["token"]
        mine = Server(state.url, personal)
        assert project.id["ann"] in {p.id for p in mine.projects("wherefore run=")}
        again = push(project.plan, mine, project.folder, "main")
        assert [p.added for p in again] == [0, 0]
        said = pytest.raises(
            ServiceError, match=r"refused \(401\): the server does not know the token ending in 'beef'"
        )
        with closing(Server(state.url, "deadbeef" * 5)) as wrong, said:
            wrong.version()
        switch = {"api_tokens_enabled": True, "legacy_api_tokens_enabled": False}
        http.post("/api/jwt/settings", json=switch, headers=csrf)
        try:
            with pytest.raises(
                ServiceError, match=r"legacy tokens are switched off .* Use a personal access token"
            ):
                project.ls.admin.accounts()
        finally:
            http.post("/api/jwt/settings", json={**switch, "legacy_api_tokens_enabled": True}, headers=csrf)
        mine.close()
    assert project.ls.admin.accounts()
