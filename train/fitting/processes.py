"""One fit on several processes: `accelerate launch` around the same loop gives the same loss as one process.

Each process takes its share of every batch; the weights of the tokens are those of the whole batch, so the gradients
of the shares add up to the gradient of the batch, and every process then takes the same step.
"""

import os
from collections.abc import Sequence
from typing import Any, TypeVar

import torch
import torch.distributed as dist

T = TypeVar("T")


class Processes:
    """The processes that share a fit: one, unless a launcher started several.

    Args:
        rank: number of this one.
        count: how many there are.
    """

    def __init__(self, rank: int = 0, count: int = 1) -> None:
        self.rank, self.count = rank, count

    @classmethod
    def launched(cls) -> "Processes":
        """Those that `accelerate launch` or `torchrun` started, joined; this one alone where neither did."""
        count = int(os.environ.get("WORLD_SIZE", "1"))
        if count == 1:
            return cls()
        if not dist.is_initialized():
            dist.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
        return cls(dist.get_rank(), dist.get_world_size())

    @property
    def first(self) -> bool:
        """Whether this one writes."""
        return self.rank == 0

    def wait(self) -> None:
        """Until all are here."""
        if self.count > 1:
            dist.barrier()

    def share(self, items: Sequence[T]) -> list[T]:
        """This process's part of a batch: every n-th, so that lengths are alike."""
        return list(items[self.rank :: self.count])

    def add_gradients(self, parameters: Sequence[Any]) -> None:
        """Add up what every process found; each has the sum then."""
        if self.count == 1:
            return
        for p in parameters:
            if p.grad is None:  # this process had no row in the batch
                p.grad = torch.zeros_like(p)
            dist.all_reduce(p.grad)

    def sum(self, values: Sequence[float]) -> list[float]:
        """The sum over the processes of each value."""
        if self.count == 1:
            return list(values)
        total = torch.tensor(values, dtype=torch.float64)
        dist.all_reduce(total)
        return [float(v) for v in total]
