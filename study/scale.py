"""Ray, behind `pip install wherefore-lab[scale]`: shards that share one limit, and tasks that may lose their worker.

What a shard or a task does is a function of its own module, called by name, so that nothing but text crosses the
network.
"""

import importlib
import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from .errors import StudyError, not_installed


class LimitShare:
    """How many requests each of several shards may have in flight, so that together they find the endpoint's limit.

    Every shard tells now and then how many it could use and whether it was refused. The total falls to three quarters
    when refusals come, rises by a twentieth with every quiet round of reports, and is dealt by what each can use.

    Args:
        most: of all shards together.
        shards: how many there are; each begins with an equal part.
    """

    def __init__(self, most: int, shards: int) -> None:
        self.most, self.total = most, float(most)
        self._wanted = dict.fromkeys(range(1, shards + 1), 1)
        self._quiet = 0

    def report(self, shard: int, wanted: int, refused: bool) -> int:
        """Tell, and hear how many may be in flight from now on.

        >>> share = LimitShare(100, shards=2)
        >>> share.report(1, 1, False), share.report(2, 3, False), share.report(1, 0, False)
        (50, 75, 1)
        >>> share.report(2, 3, True)      # refused: three quarters of the total, of which shard 1 wants none
        75
        """
        self._wanted[shard] = wanted
        if refused:
            self.total, self._quiet = max(1.0, 0.75 * self.total), 0
        else:
            self._quiet += 1
            if self._quiet >= 3 * len(self._wanted):
                self.total, self._quiet = min(self.most, 1.05 * self.total + 1), 0
        return max(1, int(self.total * wanted / max(1, sum(self._wanted.values()))))


class _Remote:
    """The same from another process."""

    def __init__(self, actor: Any, shard: int) -> None:
        self._actor, self._shard = actor, shard

    async def report(self, wanted: int, refused: bool) -> int:
        limit: int = await self._actor.report.remote(self._shard, wanted, refused)
        return limit


def check_installed(where: str) -> None:
    """Refuse where Ray is not there, before anything is made for it.

    Raises:
        MissingPartError: it is not.
    """
    if find_spec("ray") is None:
        raise not_installed(where, "Ray", "scale")


@contextmanager
def ray_for(where: str) -> Iterator[Any]:
    """Ray, on the cluster that RAY_ADDRESS names or else on this machine.

    Args:
        where: the setting that asks for it, for the message.
    Raises:
        MissingPartError: Ray is not installed.
    """
    check_installed(where)
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    import ray

    ours = not ray.is_initialized()
    if ours:
        ray.init(
            address=os.environ.get("RAY_ADDRESS", "local"),  # not what a cluster that ended left in /tmp
            log_to_driver=False,
            logging_level=logging.ERROR,
            include_dashboard=False,
        )
    try:
        yield ray
    finally:
        if ours:
            ray.shutdown()


def run_shards(module: str, function: str, shards: int, most: int, work: tuple[str, ...]) -> list[Any]:
    """Call `module.function((i, n), share, *work)` for every shard as a Ray task, and wait for all.

    Raises:
        MissingPartError: Ray is not installed.
        WhereforeError: the first that a shard raised; the others are stopped, and what they stored stays.
    """
    with ray_for("synth.job.ray") as ray:
        share = ray.remote(num_cpus=0)(LimitShare).remote(most, shards)

        def one(shard: int) -> Any:
            return getattr(importlib.import_module(module), function)(
                (shard, shards), _Remote(share, shard), *work
            )

        tasks = [ray.remote(num_cpus=1, max_retries=0)(one).remote(i) for i in range(1, shards + 1)]
        try:
            out: list[Any] = ray.get(tasks)
        except ray.exceptions.RayTaskError as e:
            raise e.cause from None
        return out


@dataclass(frozen=True)
class Lost:
    """A task that came to no end: each worker that took it died."""

    why: str


TRIES = 3
"""Workers that a task may lose."""


def run_tasks(
    module: str, function: str, tasks: Sequence[tuple[str, ...]], workers: int, gpus: float = 0.0
) -> Iterator[tuple[int, Any]]:
    """Call `module.function(*task)` for every task on Ray workers; yield each one's place and result as it ends.

    Args:
        module: dotted name.
        function: in it.
        tasks: arguments, begun in this order.
        workers: tasks at a time, one processor each.
        gpus: GPUs that a task holds; a fraction where several share one.
    Yields:
        The place of a task and what it returned; `Lost` where its worker died, and the next, and the next.
    Raises:
        MissingPartError: Ray is not installed.
        StudyError: no machine of the cluster has the GPU that is asked for.
        WhereforeError: what a task raised; the others are stopped.
    """
    with ray_for("train.ray") as ray:
        if gpus > ray.cluster_resources().get("GPU", 0):
            raise StudyError(
                f"train.gpus: each worker is to hold {gpus:g} GPU, and the Ray cluster has "
                f"{ray.cluster_resources().get('GPU', 0):g}. Add a node with a GPU, or ask for less."
            )

        def one(task: tuple[str, ...]) -> Any:
            return getattr(importlib.import_module(module), function)(*task)

        remote = ray.remote(num_cpus=1, num_gpus=gpus, max_retries=0)(one)
        waiting = [(place, 1) for place in range(len(tasks))][::-1]
        running: dict[Any, tuple[int, int]] = {}
        while waiting or running:
            while waiting and len(running) < workers:
                place, tried = waiting.pop()
                running[remote.remote(tasks[place])] = place, tried
            (ended, *_), _ = ray.wait(list(running), num_returns=1)
            place, tried = running.pop(ended)
            try:
                yield place, ray.get(ended)
            except ray.exceptions.RayTaskError as e:
                raise e.cause from None
            except ray.exceptions.RayError as e:
                if tried == TRIES:
                    yield (
                        place,
                        Lost(f"its worker died {TRIES} times, last: {str(e).strip().splitlines()[0]}"),
                    )
                else:
                    waiting.append((place, tried + 1))
