"""The grading page of our own: who is let in, what it keeps, and that Label Studio's page can go on with it."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from wherefore.annotate.label_studio import server as server_
from wherefore.annotate.web import links

pytestmark = pytest.mark.service
GOOD = {"accuracy": "4", "faithfulness": "4", "harm": "none", "accept": "accept"}
SUPPORTED = {f"support_{n}": "supported" for n in range(1, 5)}


class Rater:
    """A browser of one rater, without the pictures."""

    def __init__(self, url: str, passphrase: str) -> None:
        self.http = browser(url)
        entered = self.http.post("/grade/enter", json={"passphrase": passphrase})
        assert entered.status_code == 200, entered.text
        self.cookie = entered.headers["set-cookie"]
        self.desk = self.http.get("/grade/api/desk").json()

    def post(self, path: str, body: dict[str, Any], **headers: str) -> httpx.Response:
        given = {"X-CSRF-Token": self.desk["csrf"]} | headers
        return self.http.post(f"/grade/api/task/{path}", json=body, headers=given)

    def form(self, answers: dict[str, str] | None = None, **texts: str) -> dict[str, Any]:
        return {"answers": SUPPORTED | GOOD | (answers or {}), "texts": texts, "seconds": 42.0}


OPENED: list[httpx.Client] = []


@pytest.fixture
def served(on_server: Any) -> Iterator[tuple[Any, str]]:
    on_server.study(rubric="clinical", items=4)
    on_server.call("push")
    with on_server.page() as url:
        yield on_server, url
    while OPENED:
        OPENED.pop().close()


def browser(url: str) -> httpx.Client:
    OPENED.append(httpx.Client(base_url=url, timeout=60, trust_env=False))
    return OPENED[-1]


def rater(served: tuple[Any, str], name: str = "ann") -> Rater:
    return Rater(served[1], served[0].link(name).partition("#")[2])


def test_only_the_rater_is_let_in_and_the_token_stays_behind(served: tuple[Any, str]) -> None:
    on_server, url = served
    ann = rater(served)
    assert "httponly" in ann.cookie.lower()
    assert "samesite=strict" in ann.cookie.lower()
    assert "path=/grade" in ann.cookie
    own = on_server.ls.state
    secrets = [own.token, own.password, *own.raters.values(), server_.token(own, "ann@raters.example.com")]
    pages = ["/grade/", "/grade/api/desk", f"/grade/api/task/{ann.desk['next']}"]
    pages += [
        f"/grade/static/{name}"
        for name in ("page.js", "form.js", "draw.js", "api.js", "enter.js", "page.css")
    ]
    for page in pages:
        answer = ann.http.get(page)
        assert answer.status_code == 200, page
        assert not [s for s in secrets if s in answer.text or s in str(answer.headers)], page
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-frame-options"] == "DENY"
    stranger = browser(url)
    assert "passphrase" in stranger.get("/grade/").text
    assert stranger.get("/grade/api/desk").status_code == 401
    assert stranger.get("/grade/", headers={"Host": "evil.example.org"}).status_code == 400
    assert stranger.get("/grade/static/../links.json").status_code == 404
    forged = {"Cookie": "wherefore_grading=eyJyYXRlciI6ICJhbm4ifQ==.aaaa.bbbb"}
    assert stranger.get("/grade/api/desk", headers=forged).status_code == 401
    task = f"{ann.desk['next']}/draft"
    assert ann.post(task, ann.form(), **{"X-CSRF-Token": "x"}).status_code == 403
    assert ann.post(task, ann.form(), **{"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert ann.post(task, ann.form()).status_code == 200
    assert (
        ann.http.post(
            "/grade/api/task/1/draft", content=b"{", headers={"X-CSRF-Token": ann.desk["csrf"]}
        ).status_code
        == 400
    )
    assert ann.post(task, {"answers": {"a": 7}}).status_code == 422
    assert ann.post(task, {"texts": {"comment": "x" * 2**21}}).status_code == 413


def test_a_wrong_passphrase_and_a_renewed_one(served: tuple[Any, str]) -> None:
    on_server, url = served
    ann = rater(served)
    assert "1 ann" not in on_server.call("links", "--renew", "ann")
    assert ann.http.get("/grade/api/desk").status_code == 401, "the session ended with the passphrase"
    again = rater(served)
    assert again.desk["rater"] == "ann"
    with httpx.Client(base_url=url, trust_env=False) as stranger:
        codes = [
            stranger.post("/grade/enter", json={"passphrase": f"wrong-{n}"}).status_code for n in range(25)
        ]
    assert codes == [403] * links.Guard.MOST + [429] * 5
    own = on_server.folder / links.FILE
    assert own.stat().st_mode & 0o077 == 0
    assert "did you mean 'ann'?" in on_server.call("links", "--renew", "anne", code=1)


def test_a_rater_sees_own_items_only_and_leaves_with_the_study(served: tuple[Any, str]) -> None:
    on_server, _ = served
    ann, ben = rater(served), rater(served, "ben")
    theirs = ben.desk["next"]
    assert ann.http.get(f"/grade/api/task/{theirs}").status_code == 409
    assert ann.post(f"{theirs}/submit", ann.form()).status_code == 409
    assert {i["task"] for i in ann.desk["items"]} == set(on_server.tasks("ann").values())
    on_server.study(people=["ann", "carla"])
    left = ben.http.get("/grade/api/desk")
    assert (left.status_code, left.json()["error"]) == (
        409,
        "ben is no longer among the raters of this study.",
    )
    assert ann.http.get("/grade/api/desk").status_code == 200


def test_what_one_page_began_the_other_goes_on_with(served: tuple[Any, str]) -> None:
    on_server, _ = served
    ann, session = rater(served), on_server.ls.session("ann")
    first, second = ann.desk["items"][0]["task"], ann.desk["items"][1]["task"]
    ann.post(
        f"{first}/draft", {"answers": {"support_1": "partly"}, "texts": {"note_1": "Half a no"}, "seconds": 8}
    )
    ann.post(
        f"{first}/draft",
        {"answers": {"support_1": "partly"}, "texts": {"note_1": "Half a note"}, "seconds": 9},
    )
    (draft,) = session.get(f"/api/tasks/{first}/drafts").json()
    assert {c["from_name"]: c["value"] for c in draft["result"]} == {
        "support_1": {"choices": ["partly"]},
        "note_1": {"text": ["Half a note"]},
    }
    item = next(i for i, n in on_server.tasks("ann").items() if n == second)
    body = {"result": on_server.form(item, GOOD), "lead_time": 5}
    assert session.post(f"/api/tasks/{second}/drafts", json=body).status_code == 201
    assert ann.http.get("/grade/api/desk").json()["items"][1]["standing"] == "begun"
    opened = ann.http.get(f"/grade/api/task/{second}").json()
    assert opened["form"]["answers"] == SUPPORTED | GOOD
    assert rater(served).http.get(f"/grade/api/task/{first}").json()["form"]["texts"] == {
        "note_1": "Half a note"
    }
    assert ann.post(f"{second}/submit", ann.form()).json()["sent"]
    assert session.get(f"/api/tasks/{second}/drafts").json() == []
    (sent,) = session.get(f"/api/tasks/{second}/annotations/").json()
    changed = {**sent, "result": on_server.form(item, GOOD | {"accuracy": "2"})}
    assert (
        session.patch(f"/api/annotations/{sent['id']}/", json={"result": changed["result"]}).status_code
        == 200
    )
    assert ann.http.get(f"/grade/api/task/{second}").json()["form"]["answers"]["accuracy"] == "2"
    on_server.call("pull")
    assert on_server.values("ann", "accuracy") == {item: "2"}
    assert on_server.faults() == {}


def test_a_form_is_checked_before_it_is_sent(served: tuple[Any, str]) -> None:
    on_server, _ = served
    ann = rater(served)
    task = f"{ann.desk['next']}/submit"
    short = {"answers": {"support_1": "supported", "support_2": "contradicted"}, "texts": {}, "seconds": 20}
    said = ann.post(task, short).json()
    assert not said["sent"]
    assert [w["at"] for w in said["wrong"]] == [
        "support_3",
        "support_4",
        "fault_2",
        "accuracy",
        "faithfulness",
        "harm",
        "accept",
    ]
    doubtful = ann.form({"accuracy": "1"})
    said = ann.post(task, doubtful).json()
    assert (said["sent"], said["wrong"]) == (False, [])
    assert said["doubts"] == ["Medical accuracy is graded unusable, and the rationale is accepted as it is."]
    shown = ann.http.get(f"/grade/api/task/{ann.desk['next']}").json()
    for text, why in (
        (shown["rationale"], "is unchanged"),
        ("A stroke. [E099]", "E099, which is not a line"),
    ):
        said = ann.post(task, ann.form({"accept": "edit"}, edited=text)).json()
        assert [w["at"] for w in said["wrong"]] == ["edited"]
        assert why in said["wrong"][0]["why"]
    assert ann.post(task, {**doubtful, "sure": True}).json()["sent"]
    on_server.call("pull")
    assert list(on_server.values("ann", "accuracy").values()) == ["1"]
    assert list(on_server.faults().values()) == ["contradiction"]


def test_skipped_with_a_reason_taken_up_again_and_sent_once(served: tuple[Any, str]) -> None:
    on_server, _ = served
    ann, tab = rater(served), rater(served)
    task = ann.desk["next"]
    assert ann.post(f"{task}/skip", {"reason": "  "}).status_code == 422
    assert ann.post(f"{task}/skip", {"reason": "I treated her.", "seconds": 30}).json()["desk"]["done"] == 1
    on_server.call("pull")
    (fault,) = on_server.state.got.faults
    assert (fault.fault, fault.detail) == ("skipped", "the rater skipped it: I treated her.")
    assert ann.post(f"{task}/submit", ann.form()).json()["sent"]
    other = ann.desk["items"][1]["task"]
    assert tab.http.get(f"/grade/api/task/{other}").status_code == 200
    assert ann.post(f"{other}/submit", ann.form()).json()["sent"]
    on_server.call("pull")
    assert len(on_server.values("ann", "accept")) == 2
    assert on_server.faults() == {}
    overview = ann.http.get("/grade/api/desk").json()
    assert (overview["done"], overview["of"], overview["minutes_left"]) == (2, 4, 1)


def test_a_second_tab_cannot_send_an_item_twice(served: tuple[Any, str]) -> None:
    """Two servers of the page, which know nothing of each other."""
    on_server, _ = served
    ann = rater(served)
    task = ann.desk["next"]
    with on_server.page() as other:
        second = Rater(other, on_server.link("ann").partition("#")[2])
        assert ann.post(f"{task}/submit", ann.form()).json()["sent"]
        said = second.post(f"{task}/submit", second.form({"accuracy": "2"}))
        assert said.status_code == 409
        assert "sent before, perhaps in another tab" in said.json()["error"]
    assert len(on_server.ls.session("ann").get(f"/api/tasks/{task}/annotations/").json()) == 1
