"""Simulated people before their record is written: what they are, and when what happens to them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class World:
    """One chunk of people: what they are, and when what happens to them. Ages in years, infinity for never."""

    male: NDArray[np.bool_]
    fixed: dict[str, Floats]
    """Name -> (people,): 0/1, or years for education."""
    onset: dict[str, Floats]
    """Condition -> (people,) age at its beginning."""
    latent: NDArray[np.int64]
    """(people,) row of `latents()`."""
    dementia: Floats
    death: Floats
    loss: Floats

    @property
    def observed_until(self) -> Floats:
        """Age at death or loss, whichever came first."""
        return np.minimum(self.death, self.loss)
