"""Ray, behind `pip install wherefore-lab[scale]`: shards as actors, and one limit that they share.

What a shard does is a function of its own module, called by name, so that nothing but text crosses the network.
"""

import importlib
import os
from typing import Any

from .errors import not_installed


class Share:
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

        >>> share = Share(100, shards=2)
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


def run_shards(module: str, function: str, shards: int, most: int, work: tuple[str, ...]) -> list[Any]:
    """Call `module.function((i, n), share, *work)` for every shard as a Ray task, and wait for all.

    Raises:
        MissingPartError: Ray is not installed.
        WhereforeError: the first that a shard raised; the others are stopped, and what they stored stays.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray
    except ImportError as e:
        raise not_installed("synth.job.ray", "Ray", "scale") from e
    ours = not ray.is_initialized()
    if ours:
        ray.init(address=os.environ.get("RAY_ADDRESS"), log_to_driver=False, include_dashboard=False)
    try:
        share = ray.remote(num_cpus=0)(Share).remote(most, shards)

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
    finally:
        if ours:
            ray.shutdown()
