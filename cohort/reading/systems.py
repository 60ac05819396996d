"""Names of coding systems as the records write them, by the study file first."""

from collections.abc import Mapping

from .. import codes
from ..events import Place

KEY = "cohort.source.systems"


class Systems:
    """Finds the common name of a coding system; says at the end which names of the study file nothing used."""

    def __init__(self, names: Mapping[str, str], place: Place) -> None:
        self._names, self._place = names, place
        place.bad.expect(KEY, names)

    def __call__(self, name: str) -> str:
        """The common name of a system, such as ICD10; unknown ones stay."""
        if name in self._names:
            self._place.bad.use(KEY, name)
            return codes.system(self._names[name])
        return codes.system(name)

    def code(self, text: str) -> codes.Code:
        """A code with its system in front, taken apart."""
        parsed = codes.parse(text)
        if parsed.system not in self._names:
            return parsed
        system = self(parsed.system)
        return parsed._replace(system=system, kind=codes.kind(system, parsed.kind))
