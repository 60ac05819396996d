"""A table from request keys to places, small enough for ten million of them: sixteen bytes a slot."""

from array import array


class Places:
    """Open addressing over two arrays. The key is the first half of the 32 hex digits of a request's key.

    Args:
        expected: how many keys will come; the table grows where more do.

    >>> places = Places(4)
    >>> places.put("00000000000000ff" + "0" * 16, 7)
    >>> places.get("00000000000000ff" + "0" * 16), places.get("f" * 32), len(places)
    (7, None, 1)
    """

    def __init__(self, expected: int = 0) -> None:
        self._size = max(1024, expected + expected // 4)
        self._keys, self._places = _zeros(self._size), _zeros(self._size)
        self._used = 0

    def __len__(self) -> int:
        return self._used

    def get(self, key: str) -> int | None:
        """Where the key's answer stands; None where it is unknown."""
        name = _name(key)
        slot = self._slot(name)
        return self._places[slot] if self._keys[slot] == name else None

    def put(self, key: str, place: int) -> None:
        """Set where the key's answer stands."""
        self._put(_name(key), place)

    def _put(self, name: int, place: int) -> None:
        slot = self._slot(name)
        if self._keys[slot] == 0:
            if self._used >= 0.85 * self._size:
                self._grow()
                slot = self._slot(name)
            self._keys[slot] = name
            self._used += 1
        self._places[slot] = place

    def _slot(self, name: int) -> int:
        """The key's slot, or the free one where it would go."""
        keys, size = self._keys, self._size
        slot = name % size
        while keys[slot] not in (0, name):
            slot = slot + 1 if slot + 1 < size else 0
        return slot

    def _grow(self) -> None:
        old = zip(self._keys, self._places, strict=True)
        self._size *= 2
        self._keys, self._places, self._used = _zeros(self._size), _zeros(self._size), 0
        for name, place in old:
            if name:
                self._put(name, place)


def _zeros(n: int) -> "array[int]":
    return array("Q", bytes(8 * n))


def _name(key: str) -> int:
    """64 bits of a key; 0 marks a free slot and is nobody's name."""
    return int(key[:16], 16) or 1
