"""A table from request keys to places, small enough for ten million of them: fourteen bytes a slot."""

from array import array

Place = tuple[int, int]


class Places:
    """Open addressing over three arrays. The key is the first half of the 32 hex digits of a request's key.

    Args:
        expected: how many keys will come; the table grows where more do.

    >>> places = Places(4)
    >>> places.put("00000000000000ff" + "0" * 16, (2, 7))
    >>> places.get("00000000000000ff" + "0" * 16), places.get("f" * 32), len(places)
    ((2, 7), None, 1)
    """

    def __init__(self, expected: int = 0) -> None:
        self._make(max(1024, expected + expected // 6))

    def __len__(self) -> int:
        return self._used

    def _make(self, size: int) -> None:
        self._size, self._used = size, 0
        self._keys = array("Q", bytes(8 * size))
        self._rows = array("I", bytes(4 * size))
        self._files = array("H", bytes(2 * size))

    def get(self, key: str) -> Place | None:
        """File and row of the key's answer; None where it is unknown."""
        name = _name(key)
        slot = self._slot(name)
        return (self._files[slot], self._rows[slot]) if self._keys[slot] == name else None

    def put(self, key: str, place: Place) -> None:
        """Set file (below 2^16) and row (below 2^32) of the key's answer."""
        self._put(_name(key), place)

    def _put(self, name: int, place: Place) -> None:
        slot = self._slot(name)
        if self._keys[slot] == 0:
            if self._used >= 0.88 * self._size:
                self._grow()
                slot = self._slot(name)
            self._keys[slot] = name
            self._used += 1
        self._files[slot], self._rows[slot] = place

    def _slot(self, name: int) -> int:
        """The key's slot, or the free one where it would go."""
        keys, size = self._keys, self._size
        slot = name % size
        while keys[slot] not in (0, name):
            slot = slot + 1 if slot + 1 < size else 0
        return slot

    def _grow(self) -> None:
        old = zip(self._keys, self._files, self._rows, strict=True)
        self._make(2 * self._size)
        for name, *place in old:
            if name:
                self._put(name, (place[0], place[1]))


def _name(key: str) -> int:
    """64 bits of a key; 0 marks a free slot and is nobody's name."""
    return int(key[:16], 16) or 1
