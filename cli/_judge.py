"""Asking the judge: the doors of the synth stage, the questions of the annotate stage."""

import asyncio
from pathlib import Path

from ..annotate import judge
from ..annotate.items import Item
from ..annotate.plan import Plan
from ..annotate.settings import Judge
from ..study.config import Study
from ..study.errors import DataError, ServiceError
from ..study.progress import Progress

ATTEMPTS = 5


def ask(study: Study, plan: Plan, how: Judge, folder: Path) -> list[str]:
    """Ask about every item without an answer; what is answered is kept at once. Returns why some have none.

    Raises:
        StudyError: the records may not be sent there.
        ServiceError: no request can succeed.
    """
    from ..synth import permission
    from ..synth.teachers import openai

    options = openai.Options(
        model=how.model, base_url=how.base_url, key_env=how.key_env, temperature=0, structured="json_object"
    )
    permission.check(study, openai.urls(options))
    have = judge.answers(folder)
    waiting = [i for i in plan.items.values() if i.id not in have]
    return asyncio.run(_all(plan, how, options, waiting, folder / judge.FILE))


async def _all(plan: Plan, how: Judge, options: object, items: list[Item], path: Path) -> list[str]:
    from ..synth.teachers import openai

    assert isinstance(options, openai.Options)
    refused: list[str] = []
    free = asyncio.Semaphore(how.parallel)
    with Progress("judge", len(items)) as bar, path.open("a", encoding="utf-8") as out:
        async with openai.doors(options) as (door, *_):

            async def one(item: Item) -> None:
                async with free:
                    body = openai.body(options, judge.prompt(plan, item), plan.seed)
                    try:
                        found = judge.answer(item, await _reply(door, item, body))
                    except DataError as e:
                        refused.append(str(e))
                    else:
                        out.write(found.model_dump_json() + "\n")
                        out.flush()
                    bar.step()

            await asyncio.gather(*(one(i) for i in items))
    return refused


async def _reply(door: object, item: Item, body: dict[str, object]) -> str:
    """The text of one answer; asked again where that can help."""
    from ..synth.teaching import Fault, Request

    for attempt in range(1, ATTEMPTS + 1):
        try:
            request = Request(key=item.id, body=body, history=None, style=None, sample=0, label=None)  # type: ignore[arg-type]
            reply = await door.ask(request)  # type: ignore[attr-defined]
        except Fault as e:
            if e.fatal:
                raise ServiceError(f"judge: {e.detail}") from None
            if not e.again or attempt == ATTEMPTS:
                raise DataError(f"{item.id}: {e.kind}: {e.detail}") from None
            await asyncio.sleep(e.wait if e.wait is not None else 0.5 * 2**attempt)
        else:
            return str(reply.body["choices"][0]["message"]["content"] or "")
    raise AssertionError("unreachable")
