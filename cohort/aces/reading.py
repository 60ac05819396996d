"""From the YAML of a task to the task, or one line about the key of which nothing can be made."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

from ...study.errors import DataError, did_you_mean, not_one_of
from .document import load
from .task import RECORD_END, RECORD_START, SPECIAL, TRIGGER, Derived, Plain, Point, Task, Window, duration

PLAIN = (
    "code",
    "value_min",
    "value_max",
    "value_min_inclusive",
    "value_max_inclusive",
    "static",
    "other_cols",
)
WINDOW = ("start", "end", "start_inclusive", "end_inclusive", "has", "label", "index_timestamp")


def read(path: Path, predicates: Path | None = None) -> Task:
    """The task of a file.

    Args:
        path: the task configuration.
        predicates: a file with predicates (and `patient_demographics`) that come before those of the task.
    Raises:
        DataError: what is not understood, or what ACES would not do: one line that names the key.
    """
    said = load(path, "cohort.predict.file")
    _known(
        path.name,
        said,
        ("predicates", "patient_demographics", "trigger", "windows", "description", "metadata"),
    )
    more = {} if predicates is None else load(predicates, "cohort.predict.predicates")
    if predicates is not None:
        _known(predicates.name, more, ("predicates", "patient_demographics", "description", "metadata"))
    return _Reader(path.name, said, more).task()


def _known(where: str, found: Mapping[Any, Any], names: tuple[str, ...]) -> None:
    for name in found:
        if name not in names:
            raise DataError(f"{where}: unknown key {name!r}; {did_you_mean(str(name), names)}")


class _Reader:
    """Reads one task, and says of which key of which file it could make nothing."""

    def __init__(self, file: str, said: Mapping[str, Any], more: Mapping[str, Any]) -> None:
        self._file, self._said = file, said
        self._given = {**self._section(said, "predicates"), **self._section(more, "predicates")}
        people = {
            **self._section(said, "patient_demographics"),
            **self._section(more, "patient_demographics"),
        }
        self._people = {
            name: self._plain(f"patient_demographics.{name}", p, always=True) for name, p in people.items()
        }
        self._used: dict[str, Plain | Derived] = dict(self._people)

    def task(self) -> Task:
        trigger = self._said.get("trigger")
        if not isinstance(trigger, str):
            self._refuse("trigger", trigger, "the name of a predicate is needed")
        if trigger not in SPECIAL:
            self._use(trigger, "trigger")
        windows = {name: self._window(name, w) for name, w in self._section(self._said, "windows").items()}
        self._check_references(windows)
        return Task(
            predicates=self._used,
            trigger=trigger,
            windows=windows,
            label=self._one(windows, "label"),
            predicted=self._one(windows, "index_timestamp"),
        )

    def _refuse(self, key: str, found: object, why: str) -> NoReturn:
        raise DataError(f"{self._file}: {key}: {why} (found {found!r}).")

    def _section(self, said: Mapping[str, Any], name: str) -> dict[str, Any]:
        found = said.get(name)
        if found is None:
            return {}
        if not isinstance(found, dict):
            self._refuse(name, found, "names and what they mean are needed")
        for key in found:
            if not re.fullmatch(r"\w+", str(key)) or key in (*SPECIAL, TRIGGER):
                self._refuse(name, key, "a name has letters, digits and _, and is none of ACES's own")
        return {str(k): v for k, v in found.items()}

    # predicates

    def _use(self, name: str, by: str, above: tuple[str, ...] = ()) -> None:
        """Take a predicate, and those that it is made of before it."""
        if name in self._people or (isinstance(p := self._used.get(name), Plain) and p.static):
            if not above:
                self._refuse(by, name, "what holds always has no time, so that no window can have it")
            return
        if name in self._used:
            return
        if name in above:
            self._refuse(f"predicates.{name}.expr", " -> ".join((*above, name)), "goes in a circle")
        key = f"predicates.{name}"
        if name not in self._given:
            raise DataError(f"{self._file}: {by}: {not_one_of('predicate', name, self._given)}")
        said = self._given[name]
        if not isinstance(said, dict):
            self._refuse(
                key, said, "a code or an expr is needed; in this file or in cohort.predict.predicates"
            )
        if "expr" not in said:
            self._used[name] = plain = self._plain(key, said)
            if plain.static and not above:
                self._refuse(by, name, "what holds always has no time, so that no window can have it")
            return
        every, of = self._expression(key, said)
        for part in of:
            self._use(part, f"{key}.expr", (*above, name))
        self._used[name] = Derived(every, of)

    def _expression(self, key: str, said: Mapping[str, Any]) -> tuple[bool, tuple[str, ...]]:
        for other in said:
            if other != "expr":
                self._refuse(f"{key}.{other}", said[other], "only expr is understood where there is one")
        whole = re.fullmatch(r"(and|or)\(([^()]*)\)", str(said["expr"]))
        of = tuple(x.strip() for x in whole[2].split(",")) if whole else ()
        if whole is None or len(of) < 2:
            self._refuse(f"{key}.expr", said["expr"], "and(a, b, ...) or or(a, b, ...) is needed, not nested")
        return whole[1] == "and", of

    def _plain(self, key: str, said: Any, always: bool = False) -> Plain:
        if not isinstance(said, dict) or "code" not in said:
            self._refuse(key, said, "a code is needed")
        others = {k: v for k, v in said.items() if k not in PLAIN}
        if always and others:
            self._refuse(f"{key}.{next(iter(others))}", next(iter(others.values())), "not understood there")
        others |= said.get("other_cols") or {}
        return Plain(
            codes=self._codes(f"{key}.code", said["code"]),
            low=self._number(f"{key}.value_min", said.get("value_min")),
            high=self._number(f"{key}.value_max", said.get("value_max")),
            low_inclusive=self._truth(f"{key}.value_min_inclusive", said.get("value_min_inclusive") or False),
            high_inclusive=self._truth(
                f"{key}.value_max_inclusive", said.get("value_max_inclusive") or False
            ),
            static=always or self._truth(f"{key}.static", said.get("static") or False),
            columns=others,
        )

    def _codes(self, key: str, said: Any) -> frozenset[str] | re.Pattern[str]:
        if isinstance(said, str):
            return frozenset([said])
        if isinstance(said, dict) and len(said) == 1:
            (how, what), *_ = said.items()
            if how == "any" and isinstance(what, list) and what and all(isinstance(c, str) for c in what):
                return frozenset(what)
            if how == "regex" and isinstance(what, str) and what:
                try:
                    return re.compile(what)
                except re.error as e:
                    self._refuse(f"{key}.regex", what, f"no regular expression: {e}")
        self._refuse(key, said, "a text, {regex: ...} or {any: [...]} is needed; quote a code of digits")

    def _number(self, key: str, said: Any) -> float | None:
        if said is not None and (isinstance(said, bool) or not isinstance(said, int | float)):
            self._refuse(key, said, "a number is needed")
        return said

    def _truth(self, key: str, said: Any) -> bool:
        if not isinstance(said, bool):
            self._refuse(key, said, "true or false is needed")
        return said

    # windows

    def _window(self, name: str, said: Any) -> Window:
        key = f"windows.{name}"
        if not isinstance(said, dict):
            self._refuse(key, said, "start and end are needed")
        _known(f"{self._file}: {key}", said, WINDOW)
        start, end = said.get("start"), said.get("end")
        if start is None and end is None:
            self._refuse(key, said, "start or end must be bound to the trigger or to another window")
        first = Point((name, "end"), event=RECORD_START, back=True) if start is None else None
        last = Point((name, "start"), event=RECORD_END) if end is None else None
        first = first or self._point(name, "start", start)
        last = last or self._point(name, "end", end)
        from_end, from_start = first.of == (name, "end"), last.of == (name, "start")
        if from_end == from_start:
            self._refuse(key, f"{start} ... {end}", "one of start and end must be told from the other")
        inner, inner_key = (first, "start") if from_end else (last, "end")
        backwards = inner.step < 0 or inner.back
        if (inner.step or inner.event) and backwards != from_end:
            self._refuse(f"{key}.{inner_key}", said.get(inner_key), "the start would not come before the end")
        has = self._counts(f"{key}.has", said.get("has") or {})
        empty = not inner.step and inner.event is None
        for what in ("has", "label", "index_timestamp"):
            if empty and said.get(what):
                self._refuse(
                    f"{key}.{what}", said[what], "the window has no length, and ACES looks into none"
                )
        for side, point in (("start", first), ("end", last)):
            if point.event is not None and point.event not in SPECIAL:
                self._use(point.event, f"{key}.{side}")
        return Window(
            first,
            last,
            self._truth(f"{key}.start_inclusive", said.get("start_inclusive")),
            self._truth(f"{key}.end_inclusive", said.get("end_inclusive")),
            has,
            from_end,
        )

    def _point(self, window: str, side: str, said: Any) -> Point:
        key = f"windows.{window}.{side}"
        found = re.fullmatch(
            r"\s*(\w+(?:\.(?:start|end))?)\s*(?:(->|<-|\+|-)\s*(.*?))?\s*", str(said), re.DOTALL
        )
        if not isinstance(said, str) or found is None:
            self._refuse(
                key, said, "'trigger', 'start + 24h', 'end - 7d', 'start -> predicate' and so on is needed"
            )
        name, how, what = found.groups()
        of = self._reference(window, side, name)
        if how is None:
            return Point(of)
        if how in ("+", "-"):
            step = duration(what)
            if step is None:
                self._refuse(key, said, f"{what!r} is no span of time such as 24h, 7 days or 1 day 12:00:00")
            return Point(of, step if how == "+" else -step)
        if what in (RECORD_START, RECORD_END) and (what == RECORD_START) != (how == "<-"):
            self._refuse(key, said, "a record starts before and ends after")
        return Point(of, event=what, back=how == "<-")

    def _reference(self, window: str, side: str, name: str) -> tuple[str, str]:
        if name == TRIGGER:
            return TRIGGER, ""
        if name in ("start", "end"):
            if name == side:
                self._refuse(f"windows.{window}.{side}", name, "it cannot be told from itself")
            return window, name
        other, dot, event = name.partition(".")
        if not dot:
            self._refuse(
                f"windows.{window}.{side}", name, "the trigger, or a window with .start or .end, is needed"
            )
        return other, event

    def _counts(self, key: str, said: Any) -> dict[str, tuple[int | None, int | None]]:
        if not isinstance(said, dict):
            self._refuse(key, said, "predicates and their numbers are needed")
        out = {}
        for name, span in said.items():
            if name not in SPECIAL:
                self._use(str(name), key)
            parts = [p.strip() for p in str(span).strip("()").split(",")] if isinstance(span, str) else []
            if len(parts) != 2 or not all(re.fullmatch(r"[-+]?\d+|None|", p) for p in parts):
                self._refuse(f"{key}.{name}", span, "(fewest, most) is needed, with None for no limit")
            low, high = (None if p in ("", "None") else int(p) for p in parts)
            if (low is None and high is None) or (low is not None and high is not None and high < low):
                self._refuse(f"{key}.{name}", span, "no number fits between these limits, or every one does")
            out[str(name)] = (low, high)
        return out

    def _check_references(self, windows: Mapping[str, Window]) -> None:
        """Every window that is named is there, and none is told from itself by way of others."""
        for name, window in windows.items():
            outer, side = (window.end, "end") if window.from_end else (window.start, "start")
            seen = [name]
            while outer.of[0] != TRIGGER:
                other = outer.of[0]
                if other not in windows:
                    key = f"{self._file}: windows.{seen[-1]}.{side}"
                    raise DataError(f"{key}: {not_one_of('window', other, windows)}")
                if other in seen:
                    self._refuse(f"windows.{name}.{side}", " -> ".join((*seen, other)), "goes in a circle")
                seen.append(other)
                outer = windows[other].end if windows[other].from_end else windows[other].start

    def _one(self, windows: Mapping[str, Window], what: str) -> tuple[str, str]:
        """The one window that says what the label is, or when the prediction is made."""
        said = self._section(self._said, "windows")
        found = [(name, w[what]) for name, w in said.items() if w.get(what) is not None]
        if len(found) != 1:
            names = ", ".join(name for name, _ in found) or "none"
            self._refuse("windows", names, f"one window must have {what}, for there is one in a case")
        (name, value), *_ = found
        if what == "label":
            if value not in self._given:
                raise DataError(
                    f"{self._file}: windows.{name}.label: {not_one_of('predicate', value, self._given)}"
                )
            self._use(value, f"windows.{name}.label")
            return name, value
        if value not in ("start", "end"):
            self._refuse(f"windows.{name}.{what}", value, "start or end is needed")
        if windows[name].from_end and windows[name].start.step:
            self._refuse(
                f"windows.{name}.{what}",
                value,
                "ACES takes the other end of a window that starts at 'end - a span'; put it on one with start: null",
            )
        return name, value
