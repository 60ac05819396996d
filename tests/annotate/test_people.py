"""A rater is a person in this run: people leave, change their address, lose their account, and are asked again."""

from typing import Any

import pytest

from wherefore.annotate.decisions import Decisions
from wherefore.annotate.graded import Text

pytestmark = pytest.mark.service
GOOD, BAD = {"sound": "yes", "harm": "none"}, {"sound": "no", "harm": "none"}


def mail(name: str) -> str:
    return f"{name}@raters.example.com"


def test_a_rater_who_leaves_keeps_finished_work_and_the_round_ends_without_them(on_server: Any) -> None:
    on_server.study(people=["ann", "ben", "carla"], design={"kind": "balanced", "per_item": 2}, items=9)
    on_server.call("push")
    for rater, only in (("ann", 2), ("ben", None), ("carla", None)):
        on_server.grade_all(rater, GOOD, only=only)
    on_server.call("pull")
    kept = on_server.values("ann", "sound")
    assert len(kept) == 2
    on_server.study(people=["ben", "carla"])
    assert on_server.values("ann", "sound") == kept, "whoever left has graded what they graded"
    said = on_server.call("push")
    open_ = {rater: total - done for rater, (done, total) in on_server.state.counts("main").items()}
    assert open_["ann"] == 0
    assert sum(open_.values()) == 4, "the four that ann had left are dealt again"
    assert "main ann: project" in said
    assert "4 no longer wanted and ungraded (`--prune` removes them)" in said
    assert [line.split(": ")[0] for line in said.splitlines() if "http" in line] == ["main ben", "main carla"]
    for rater in ("ben", "carla"):
        on_server.grade_all(rater, GOOD)
    on_server.call("pull")
    assert on_server.state.due is None
    assert {v.n_raters for v in on_server.state.verdicts()} == {2}
    on_server.call("run")


def test_an_address_that_is_corrected_and_a_number_in_its_place_change_nothing(on_server: Any) -> None:
    """The study file has a wrong address first; then the right one in other letters; then the server changes it."""
    ls = on_server.ls
    on_server.study(people=[{"name": "ann", "email": "an@raters.example.com"}, "ben"])
    on_server.call("push")
    items = on_server.order("ann")
    on_server.grade("ann", items[0], GOOD)
    assert f"foreign_annotation (does not count): ann, {items[0]}: by {mail('ann')}" in on_server.call("pull")
    on_server.study(people=[{"name": "ann", "email": mail("Ann")}, "ben"])
    assert on_server.values("ann", "sound") == {items[0]: "yes"}
    on_server.call("pull")
    number = next(id for id, email in ls.admin.accounts().items() if email == mail("ann"))
    try:
        # Label Studio's own call refuses another address for an account, so this is done where an administrator does.
        ls.rename(mail("ann"), "ann.lee@raters.example.com")
        on_server.grade("ann", items[1], BAD)
        assert "foreign" not in on_server.call("pull")
        on_server.study(people=[{"name": "ann", "email": "ann.lee@raters.example.com"}, "ben"])
        assert "foreign" not in on_server.call("pull", "--full")
    finally:
        ls.rename("ann.lee@raters.example.com", mail("ann"))
    assert number in ls.admin.accounts()
    assert on_server.values("ann", "sound") == {items[0]: "yes", items[1]: "no"}


def test_a_form_is_given_back_and_graded_again(on_server: Any) -> None:
    on_server.call("push")
    items = on_server.order("ann")
    first = on_server.grade("ann", items[0], GOOD)
    on_server.grade("ann", items[1], GOOD)
    on_server.call("pull")
    said = on_server.call("reopen", "ann", items[0][:9], "--because", "the wrong patient was read out")
    assert f"main ann: {items[0]} must be graded again" in said
    assert on_server.values("ann", "sound") == {items[1]: "yes"}
    assert on_server.ls.session("ann").get(f"/api/annotations/{first}/").status_code == 404
    for how in ((), ("--full",)):
        on_server.call("pull", *how)
        assert on_server.values("ann", "sound") == {items[1]: "yes"}
    on_server.grade("ann", items[0], BAD)
    on_server.call("pull")
    assert on_server.values("ann", "sound") == {items[0]: "no", items[1]: "yes"}
    (decision,) = Decisions.read(on_server.folder).rows
    assert (decision.what, decision.rater, decision.item) == ("reopened", "ann", items[0])
    assert decision.why == "the wrong patient was read out"
    assert decision.by
    assert decision.held is not None
    assert decision.held.annotation == first
    assert "ben has not graded it" not in on_server.call("reopen", "ann", "item-x", code=1)
    assert "did you mean 'ann'?" in on_server.call("reopen", "anne", items[0], code=1)


def test_an_edit_by_the_investigator_counts_when_it_is_accepted_and_the_next_one_does_not(
    on_server: Any,
) -> None:
    on_server.call("push")
    item = on_server.order("ann")[0]
    number = on_server.grade("ann", item, GOOD)
    on_server.call("pull")
    assert "no form of it was changed by somebody else" in on_server.call("accept", item, code=1)

    def edit(values: dict[str, str]) -> str:
        path = f"/api/annotations/{number}/"
        on_server.ls.admin.call("PATCH", path, json={"result": on_server.form(item, values)})
        return str(on_server.call("pull"))

    assert "foreign_edit (does not count): ann" in edit(BAD)
    assert on_server.values("ann", "sound") == {}
    said = on_server.call("accept", item, "--because", "ann said so on the telephone")
    assert "counts as it is now: changed by admin@raters.example.com" in said
    assert on_server.values("ann", "sound") == {item: "no"}
    assert "and accepted" in on_server.call("pull", "--full")
    assert on_server.values("ann", "sound") == {item: "no"}
    assert "foreign_edit (does not count): ann" in edit({"sound": "no", "harm": "minor"})
    assert on_server.values("ann", "sound") == {}, "what was accepted is that edit, and not every other"
    assert [d.what for d in Decisions.read(on_server.folder).rows] == ["accepted"]


def test_what_is_deleted_on_the_server_was_graded_all_the_same(on_server: Any) -> None:
    """A task, then the account: `pull` and `pull --full` tell the same, and what was valid stays."""
    ls = on_server.ls
    ls.sign_up("emil")
    on_server.study(people=["ann", "emil"])
    on_server.call("push")
    items = on_server.order("emil")
    for n, item in enumerate(items[:3]):
        on_server.grade("emil", item, GOOD if n else BAD, texts=[Text(kind="comment", text=f"Note {n}")])
    withdrawn = on_server.grade("emil", items[3], GOOD)
    on_server.call("pull")
    before = on_server.values("emil", "sound")
    assert len(before) == 4
    ls.admin.call("DELETE", f"/api/tasks/{on_server.tasks('emil')[items[0]]}/")
    ls.session("emil").delete(f"/api/annotations/{withdrawn}/")
    kept = {i: v for i, v in before.items() if i != items[3]}

    def both() -> None:
        for how in ((), ("--full",), ()):
            said = on_server.call("pull", *how)
            assert f"task_deleted: emil, {items[0]}" in said
            assert on_server.values("emil", "sound") == kept
            assert len(on_server.state.got.notes) >= 3 - (items[0] not in kept)

    both()
    number = next(id for id, email in ls.admin.accounts().items() if email == mail("emil"))
    ls.admin.call("DELETE", f"/api/users/{number}/")
    both()
    assert "main emil: project" in on_server.call("push")
    assert items[0] not in on_server.tasks("emil"), "what is graded is not handed out again"
    both()


def test_nothing_odd_stops_a_pull(on_server: Any) -> None:
    """Forms that no page sends: what can be read of them counts, and the reason is listed."""
    on_server.call("push")
    items = on_server.order("ann")
    ls, tasks = on_server.ls, on_server.tasks("ann")
    form = on_server.form(items[0], GOOD)
    text = {"id": "c", "from_name": "comment", "to_name": "timeline", "type": "textarea"}
    ls.submit("ann", tasks[items[0]], form, seconds=-5)
    ls.submit("ann", tasks[items[1]], [*form, {**text, "value": {"text": "One comment, not nineteen."}}])
    ls.submit("ann", tasks[items[2]], [{**c, "value": {"choices": c["value"]["choices"][0]}} for c in form])
    ls.submit("ann", tasks[items[3]], [{**form[0], "value": {}}, form[1]])
    ls.submit("ann", tasks[items[4]], [{**form[0], "value": {"choices": []}}, form[1]])
    ls.submit("ann", tasks[items[5]], [*form, {**text, "value": {"text": ["In two", "parts"]}}])
    place = on_server.ls.admin.project(on_server.project("ann"))
    ls.admin.call(
        "POST",
        f"/api/projects/{place.id}/import",
        json=[
            {
                "data": {
                    **{f"s{n}": [] for n in range(1, 5)},
                    "timeline": "",
                    "question": "",
                    "person": "",
                    "place": "",
                }
            }
        ],
    )
    stray = next(t.id for t in ls.admin.held(place.id)[""])
    ls.submit("ann", stray, form)
    on_server.call("pull")
    got = on_server.state.got
    found = {(f.item, f.fault): f for f in got.faults}
    assert {r.item for r in got.ratings} == {items[n] for n in (0, 1, 2, 5)}
    assert [n.text for n in got.notes] == ["One comment, not nineteen.", "In two\nparts"]
    assert {r.seconds for r in got.ratings if r.item == items[0]} == {None}
    assert found[items[0], "odd_form"].counted
    assert "lead_time -5.0 is negative" in found[items[0], "odd_form"].detail
    assert not found[items[3], "unknown_value"].counted
    assert not found[items[4], "unknown_value"].counted
    assert "does not say which item it shows" in found["", "not_assigned"].detail
    assert "ann 4/6" in on_server.call("run", code=3)
    on_server.call("status")


def test_no_form_is_missed_when_the_servers_clock_is_put_back(on_server: Any) -> None:
    on_server.call("push")
    tasks = on_server.tasks("ann")
    first, second, *_ = on_server.order("ann")
    on_server.grade("ann", first, GOOD)
    on_server.call("pull")
    on_server.grade("ann", second, BAD)
    on_server.ls.backdate(tasks[second])
    on_server.call("pull")
    assert on_server.values("ann", "sound") == {first: "yes", second: "no"}
    assert "2 forms here" in on_server.call("pull")
