"""Talking to a Label Studio server, ours or somebody else's.

Projects are made and changed through `label-studio-sdk`. Its lists and exports take two to four times as long as the
calls beneath, its imports half as long again (docs/decisions/0030), so tasks and grades travel by plain HTTP.
"""

import contextlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from email.utils import parsedate_to_datetime
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

import httpx
import orjson

from ...study.errors import ServiceError
from ...study.records import Record
from .tokens import TokenAuth

if TYPE_CHECKING:
    from label_studio_sdk import LabelStudio

TRIED = "1.23"
"""Releases of the server that the tests run against."""
PAGE = 1000
"""Tasks or item keys in one request that looks something up."""


class Project(Record):
    """What we need to know of a project on the server."""

    id: int
    title: str
    config: str
    description: str
    origin: str
    """Its number and when it was made: another project of this number was made at another time."""


class TaskOnServer(NamedTuple):
    """A task and whether there is a form for it, submitted or skipped."""

    id: int
    graded: bool


class Server:
    """One Label Studio, one account.

    Args:
        url: where it is.
        token: legacy or personal access token of that account.
    """

    def __init__(self, url: str, token: str) -> None:
        self.url, self._token = url.rstrip("/"), token
        self._date = "Thu, 01 Jan 1970 00:00:00 GMT"
        self._plain: httpx.Client | None = None
        self._http = httpx.Client(
            base_url=self.url, auth=TokenAuth(self.url, token), timeout=600, trust_env=False
        )

    def close(self) -> None:
        """Give the connections back."""
        self._http.close()
        if self._plain is not None:
            self._plain.close()

    @cached_property
    def sdk(self) -> "LabelStudio":
        """The client of the SDK; importing it takes a second, so only what writes to the server does."""
        from label_studio_sdk import LabelStudio

        self._plain = httpx.Client(timeout=600, trust_env=False)
        return LabelStudio(base_url=self.url, api_key=self._token, httpx_client=self._plain, timeout=600)

    def call(self, method: str, path: str, **request: Any) -> Any:
        """One request; JSON back.

        Raises:
            ServiceError: unreachable or refused, with what to do.
        """
        with self._said():
            answer = self._http.request(method, path, **request)
            self._date = answer.headers.get("date", self._date)
            if answer.is_error:
                raise _refused(self.url, answer.status_code, answer.text, self._token)
            return orjson.loads(answer.content) if answer.content else None

    @contextlib.contextmanager
    def _said(self) -> Iterator[None]:
        """Turns what the two clients raise into one line."""
        try:
            yield
        except httpx.TimeoutException as e:
            raise ServiceError(f"{self.url}: no answer in time. Is the server overloaded? Try again.") from e
        except httpx.HTTPError as e:
            raise ServiceError(
                f"{self.url}: cannot be reached ({e}). Start one with `wherefore annotate serve`, or correct "
                "annotate.server.url."
            ) from e
        except orjson.JSONDecodeError as e:
            raise ServiceError(f"{self.url}: answered, but not like Label Studio. Check the address.") from e
        except ServiceError:
            raise
        except Exception as e:
            if (status := getattr(e, "status_code", None)) is None:
                raise
            raise _refused(self.url, status, str(getattr(e, "body", "")), self._token) from e

    def version(self) -> str:
        """Release of the server, such as `1.23.2`; a wrong token is noticed here.

        Raises:
            ServiceError: refused, or not a Label Studio.
        """
        self.call("GET", "/api/current-user/whoami")
        return str(self.call("GET", "/api/version/").get("release", "unknown"))

    def accounts(self) -> dict[int, str]:
        """E-mail address of every account by its number."""
        return {u["id"]: u["email"] for u in self.call("GET", "/api/users/")}

    def projects(self, description: str) -> list[Project]:
        """All projects whose description starts so, oldest first."""
        projects: list[Project] = []
        path: str | None = f"/api/projects/?page_size=200&ordering=id&include={PROJECT}"
        while path:
            page = self.call("GET", path)
            projects += map(_project, page["results"])
            path = page.get("next")
        return [p for p in projects if p.description.startswith(description)]

    def project(self, id: int) -> Project:
        """One project, as it is on the server now.

        Raises:
            ServiceError: it is not there.
        """
        return self.several([id])[id]

    def find(self, id: int) -> Project | None:
        """One project; None where it is not there."""
        return self._several([id]).get(id)

    def several(self, ids: Sequence[int]) -> dict[int, Project]:
        """Projects by number, in one request.

        Raises:
            ServiceError: one of them is not there.
        """
        projects = self._several(ids)
        if lacking := [i for i in ids if i not in projects]:
            raise ServiceError(
                f"{self.url}: has no project {lacking[0]}, or this account may not see it. If it was deleted, "
                "`wherefore annotate push` makes it again for what is still to be graded; if annotate.server.url is "
                "another server than the tasks were pushed to, correct it."
            )
        return projects

    def _several(self, ids: Sequence[int]) -> dict[int, Project]:
        if not ids:
            return {}
        query = {"ids": ",".join(map(str, ids)), "include": PROJECT, "page_size": len(ids)}
        return {p["id"]: _project(p) for p in self.call("GET", "/api/projects/", params=query)["results"]}

    def create(
        self, title: str, description: str, config: str, instruction: str, *, filled_in: bool = False
    ) -> Project:
        """A new project; its order of tasks is the order of import. `filled_in`: predictions stand on the page."""
        with self._said():
            project = self.sdk.projects.create(
                title=title,
                description=description,
                label_config=config,
                expert_instruction=instruction,
                show_instruction=False,
                maximum_annotations=1,
                sampling="Sequential sampling",
                show_collab_predictions=filled_in,
                model_version=FILLED_IN if filled_in else "",
                show_skip_button=True,
                enable_empty_annotation=False,
            )
        return self.project(int(project.id or 0))

    def change(self, project: int, **fields: str) -> None:
        """Give a project another description or `config`."""
        names = {"config": "label_config"}
        self.call("PATCH", f"/api/projects/{project}/", json={names.get(k, k): v for k, v in fields.items()})

    def touch(self, project: int) -> None:
        """A write that changes nothing, and waits on the server for those before it."""
        self.call("PATCH", f"/api/projects/{project}/", json={"show_instruction": False})

    def add(self, project: int, tasks: Iterable[Mapping[str, Any]], size: int) -> Iterator[int]:
        """Import tasks in batches, one made while the server takes in the one before; yields the size of each."""
        path, kind = f"/api/projects/{project}/import", {"Content-Type": "application/json"}
        left = iter(tasks)
        with ThreadPoolExecutor(1) as pool:
            under_way: list[tuple[Future[Any], int]] = []
            while batch := list(islice(left, size)):
                body = orjson.dumps(batch)
                yield from (n for done, n in under_way if done.result() is not None)
                under_way = [(pool.submit(self.call, "POST", path, content=body, headers=kind), len(batch))]
            yield from (n for done, n in under_way if done.result() is not None)

    def held(self, project: int) -> dict[str, list[TaskOnServer]]:
        """What is on the server: for each item, its tasks and whether they are graded."""
        out: dict[str, list[TaskOnServer]] = {}
        counts = ("total_annotations", "cancelled_annotations")
        for t in self._pages(project, {}, "task_only", include=f"id,data,{','.join(counts)}"):
            item = (t.get("data") or {}).get("item", "")
            out.setdefault(item, []).append(TaskOnServer(t["id"], any(t.get(c) for c in counts)))
        return out

    def begun(self, project: int) -> Iterator[dict[str, Any]]:
        """All tasks of a project with who has graded or begun them, without the answers."""
        return self._pages(project, {}, "all", include=BEGUN)

    def task(self, id: int) -> dict[str, Any]:
        """One task with its forms and drafts."""
        task: dict[str, Any] = self.call("GET", f"/api/tasks/{id}/")
        return task

    def me(self) -> tuple[int, str]:
        """Number and address of this account."""
        account = self.call("GET", "/api/current-user/whoami")
        return int(account["id"]), str(account["email"])

    def tasks(self, project: int) -> set[int]:
        """The numbers of all tasks of a project."""
        return {t["id"] for t in self._pages(project, {}, "task_only", include="id")}

    def count(self, project: int, *, graded: bool = False) -> int:
        """How many tasks a project has, or how many of them have a form."""
        query: dict[str, Any] = {"project": project, "fields": "task_only", "include": "id", "page_size": 1}
        if graded:
            query["query"] = json.dumps({"filters": {"conjunction": "or", "items": HAS_FORM}})
        return int(self.call("GET", "/api/tasks", params=query)["total"])

    def graded(self, project: int, since: str | None = None) -> Iterator[dict[str, Any]]:
        """Tasks with their forms: all that have one, or those with a form made, changed or deleted after `since`.

        Naming what is wanted makes this the quickest way to it: a quarter less than the server's own export.

        Args:
            project: its number.
            since: ISO, UTC; None: all that have a form.
        """
        wanted = HAS_FORM if since is None else [_greater("updated_at", "Datetime", since)]
        query = {"filters": {"conjunction": "or", "items": wanted}}
        return self._pages(project, query, "all", include=FORM)

    def remove_untouched(self, task: int) -> bool:
        """Delete a task that has no draft; whether it was."""
        if self.call("GET", f"/api/tasks/{task}/drafts"):
            return False
        self.call("DELETE", f"/api/tasks/{task}/")
        return True

    def give_back(self, annotation: int) -> None:
        """Turn an annotation into a draft of this account, so that its task is to be graded again."""
        self.call("POST", f"/api/annotations/{annotation}/convert-to-draft", json={})

    def _pages(
        self, project: int, query: Mapping[str, Any], fields: str, include: str
    ) -> Iterator[dict[str, Any]]:
        params = {"project": project, "fields": fields, "include": include, "query": json.dumps(query)}
        page, total = 1, 1
        while (page - 1) * PAGE < total:
            answer = self.call("GET", "/api/tasks", params={**params, "page": page, "page_size": PAGE})
            yield from answer["tasks"]
            page, total = page + 1, answer["total"]

    def clock(self) -> str:
        """The server's clock at its last answer, ISO in UTC, a little behind so that two pulls overlap."""
        then = parsedate_to_datetime(self._date) - timedelta(seconds=OVERLAP)
        return then.strftime("%Y-%m-%dT%H:%M:%S.000Z")


def _greater(field: str, type: str, value: int | str) -> dict[str, Any]:
    """A filter of the data manager."""
    return {"filter": f"filter:tasks:{field}", "operator": "greater", "type": type, "value": value}


HAS_FORM = [_greater("total_annotations", "Number", 0), _greater("cancelled_annotations", "Number", 0)]
"""Filters for tasks with a form, submitted or skipped."""
PROJECT = "id,title,description,label_config,created_at"
"""What is read of a project; without it the server counts all its tasks."""
FORM = "id,data,annotations,completed_by,updated_by,result,lead_time,created_at,updated_at,was_cancelled"
"""What is read of a task and of the forms in it."""
BEGUN = "id,annotations,completed_by,was_cancelled,lead_time,drafts,user"
"""What is read to know how far a rater is."""
FILLED_IN = "answers"
"""What Label Studio calls the source of answers that stand on the page already."""
OVERLAP = 5
"""Seconds by which two incremental pulls overlap."""


def _project(p: Mapping[str, Any]) -> Project:
    return Project(
        id=p["id"],
        title=p["title"],
        config=p.get("label_config") or "",
        description=p.get("description") or "",
        origin=f"{p['id']} of {p.get('created_at')}",
    )


def _refused(url: str, status: int, body: str, token: str) -> ServiceError:
    """The line for an HTTP status."""
    if status in (401, 403):
        if "legacy" in body:
            what = (
                "legacy tokens are switched off in this organization. Use a personal access token (Account & "
                "Settings), or switch legacy tokens on (Organization, Access Token Settings)"
            )
        else:
            what = (
                f"the server does not know the token ending in {token[-4:]!r}. Copy it again from Account & "
                "Settings"
            )
        return ServiceError(f"{url}: refused ({status}): {what}.")
    short = " ".join(body.split())[:200]
    return ServiceError(f"{url}: answered {status}: {short}.")
