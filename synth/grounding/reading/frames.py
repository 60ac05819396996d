"""How a sentence says what it names: told, denied, supposed away, of others, or as what something may lead to."""

from ..language.tokens import wordset
from ..language.vocabulary import BIT
from .scan import INSIDE, Mention, Scan

DENIAL, NOT_DENIAL, FEW = BIT["denial opens"], BIT["no denial"], BIT["few denial"]
SUPPOSE, LEAD, PEOPLE, KIN, LIKE = BIT["suppose"], BIT["lead"], BIT["people"], BIT["kin"], BIT["like this"]
CLEAR, RECORD, JUDGE, MODAL = BIT["clear words"], BIT["record"], BIT["judge"], BIT["modal"]

HARD = wordset(". ; : ? ! but although though whereas while however yet which who because despite")
"""Between clauses."""
STOP = wordset(
    "is are was were has have had can could would may might will should but which that who although "
    "though while despite however because so at in on with for from to when if nevertheless nonetheless "
    "since by make makes add adds speak speaks argue argues point points suggest keep keeps lower lowers "
    "mean means remain remains . ; : ? ! ("
)
"""What ends a denial."""
LIMIT = wordset(
    "other except besides apart beyond before prior until till after since within during between outside "
    "at in by"
)
"""What limits a denial: `no stroke before 60`."""
BE = wordset(
    "is are was were has have had remain remains remained stay stayed been be do does doe did appear appears"
)
SEEN = wordset(
    "recorded documented present noted diagnosed found seen reported mentioned listed observed identified "
    "available evident apparent known detected described registered coded occurred appear appeared shown "
    "demonstrated confirmed part among feature figure named captured exist suffered there occur in on charted "
    "established happened developed begun"
)
GONE = frozenset(("absent", "missing", "excluded", "lacking", "nowhere"))
HEADS = wordset(
    "medication treatment therapy drug surgery screening operation extraction replacement prophylaxis "
    "management tablet care prescription specialist clinic test testing risk score scale questionnaire "
    "education control"
)


def frames(scan: Scan) -> None:
    """Give every mention of a sentence its frame."""
    mentions = scan.mentions
    if not mentions:
        return
    seen, breaks = scan.seen, None
    if seen & LEAD:
        breaks = _breaks(scan)
        _led(scan, breaks)
    if seen & (DENIAL | CLEAR):
        _denied(scan)
        _denied_behind(scan)
    if seen & SUPPOSE:
        _supposed(scan)
    if seen & PEOPLE:
        _general(scan)
    if seen & KIN:
        _kin(scan, breaks or _breaks(scan))


def _breaks(scan: Scan) -> list[int]:
    return [i for i, w in enumerate(scan.words) if w in HARD]


def _clause(breaks: list[int], place: int) -> int:
    """Where the clause around a place begins."""
    return max((b + 1 for b in breaks if b < place), default=0)


def _starts(scan: Scan, bit: int) -> list[int]:
    return [i for i, f in enumerate(scan.flags) if f & bit and not f & INSIDE]


def _end(scan: Scan, place: int) -> int:
    """Where the phrase that begins at a place ends."""
    i = place + 1
    while i < len(scan.flags) and scan.flags[i] & INSIDE:
        i += 1
    return i


# --- what something may lead to


def _led(scan: Scan, breaks: list[int]) -> None:
    """`risk of stroke`, `leads to heart failure`: what is named need not be on record."""
    places = _starts(scan, LEAD)
    for m in scan.mentions:
        begin = max(_clause(breaks, m.start), m.start - 9)
        if any(begin <= p < m.start and not _resets(scan, _end(scan, p), m.start) for p in places):
            m.frame = "led"


CAUSED = wordset(
    "led caused left resulted required developed had treated given undergone produced brought meant"
)
"""What has happened is told, however likely."""


def _resets(scan: Scan, start: int, end: int) -> bool:
    """Whether something between a cue and a mention takes the mention out of its reach."""
    words = scan.words
    for i in range(start, end):
        w = words[i]
        if w in CAUSED:
            return True
        if w in (
            "with",
            "alongside",
            "plus",
            "despite",
            "without",
            "given",
            "after",
            "before",
            "when",
            ";",
            ":",
            "and",
        ) and (w != "and" or (i + 1 < end and words[i + 1] in BE | {"she", "he", "the", "her", "his"})):
            return True
        if w == "," and not any(
            words[j] in ("and", "or", ",") for j in range(i + 1, min(len(words), end + 3))
        ):
            return True
    return False


# --- what is denied


def _denied(scan: Scan) -> None:
    for p in _starts(scan, DENIAL):
        if scan.flags[p] & NOT_DENIAL or _led_away(scan, p):
            continue
        begin = _end(scan, p)
        end, limited = _scope(scan, p, begin)
        if scan.words[p] in WHOLE:
            end = next((i for i in range(begin, len(scan.words)) if scan.words[i] in HARD), len(scan.words))
        for m in scan.mentions:
            if begin <= m.start < end:
                scan.denials.add(p)
                if m.frame == "led" and scan.words[p] not in WHOLE:
                    m.frame = "general"  # `not related to diabetes` says neither that it is there nor that it is not
                elif scan.words[m.end : m.end + 1] and scan.words[m.end] in HEADS and m.category is None:
                    m.frame = "headed"
                else:
                    m.frame = "denied in part" if limited or scan.flags[p] & FEW else "denied"


WHOLE = wordset("nothing none at on nowhere never")
"""Denials of the whole clause: `at no point`, `nothing suggests`."""


def _led_away(scan: Scan, p: int) -> bool:
    """`not` before an adverb, an adjective or a verb that denies no finding."""
    if scan.words[p] != "not":
        return False
    following = scan.words[p + 1 : p + 3]
    return bool(following) and following[0] not in NEXT and not any(m.start == p + 1 for m in scan.mentions)


NEXT = wordset(
    "known have had been be a an any suffer suffered experience experienced diagnosed the yet ever show shown "
    "develop"
)


def _scope(scan: Scan, place: int, begin: int) -> tuple[int, bool]:
    """How far a denial reaches, and whether it is limited in time or kind."""
    words, i = scan.words, begin
    starts = {m.start: m.end for m in scan.mentions}
    while i < len(words):
        if i in starts:
            i = starts[i]
            continue
        w = words[i]
        if w == ",":
            if not _goes_on(scan, i + 1, starts):
                break
        elif (
            (
                w == "and"
                and words[i + 1 : i + 2]
                and words[i + 1] in ("she", "he", "it", "they", "the", "her", "his")
            )
            or (w in LIMIT and w not in ("at", "in", "by"))
            or (w in STOP and not (i < begin + 3 and w in ("been", "had", "have", "a", "with")))
        ):
            break
        i += 1
    limited = i < len(words) and words[i] in LIMIT and _limits(scan, i)
    limited = limited or any(w in ("other", "except", "besides", "beyond") for w in words[begin:i])
    return i, limited


def _goes_on(scan: Scan, start: int, starts: dict[int, int]) -> bool:
    """Whether a list of what is denied goes on behind a comma: `no AF, DM or CVA`."""
    for i in range(start, min(start + 5, len(scan.words))):
        if i in starts or scan.words[i] in ("or", "nor"):
            return True
        if scan.words[i] in STOP or scan.words[i] in (",", "and"):
            return scan.words[i] == "and" and i + 1 in starts
    return False


def _limits(scan: Scan, i: int) -> bool:
    """Whether a time or an exception follows, and not merely `in the record`."""
    if scan.words[i] in ("other", "except", "besides", "apart", "beyond", "outside"):
        return True
    reach = range(i, min(i + 7, len(scan.words)))
    if any(
        scan.words[k] in ("prediction", "index", "record", "history", "chart", "timeline", "baseline")
        for k in reach
    ):
        return False
    return (
        any(a in reach for a, _, _ in scan.values)
        or any(a in reach for a, _, _ in scan.vague)
        or any(scan.words[k].endswith("0s") or scan.words[k].endswith("tie") for k in reach)
    )


def _denied_behind(scan: Scan) -> None:
    """`diabetes is not recorded`, `stroke has been ruled out`, `the neurological history is clean`."""
    words = scan.words
    for i, w in enumerate(words):
        if w in BE and (verdict := _verdict_behind(scan, i)):
            kind, end = verdict
            scan.denials.update(range(i, end))
            before = [m for m in scan.mentions if m.end <= i and not _broken(scan, m.end, i)]
            if words[i - 1] in ("which", "that") and (
                near := [m for m in scan.mentions if i - 3 <= m.end < i]
            ):
                before = near[-1:]
                before[0].frame = "told"
            for m in before:
                if kind == "clear" and m.category is None and not _of_function(m):
                    continue
                if m.frame in ("told", "denied"):
                    limited = end < len(words) and words[end] in LIMIT and _limits(scan, end)
                    m.frame = "denied in part" if limited else "denied"
        elif w == "free" and i and any(m.end == i for m in scan.mentions):
            for m in scan.mentions:
                if m.end == i:
                    m.frame = "denied"


def _verdict_behind(scan: Scan, i: int) -> tuple[str, int] | None:
    """What stands behind `is` or `has`: a denial, or a word such as clean; and where it ends."""
    words = scan.words
    k, negated = i + 1, False
    while k < len(words) and k < i + 6:
        w = words[k]
        if w in ("not", "never", "nowhere"):
            if scan.flags[k] & NOT_DENIAL:
                return None
            negated = True
        elif negated and w in SEEN:
            return "denied", k + 1
        elif w in GONE or (w in ("ruled", "excluded") and not negated):
            return "denied", k + (2 if w == "ruled" else 1)
        elif scan.flags[k] & CLEAR and not negated and w not in ("free",):
            return "clear", _end(scan, k)
        elif (
            w not in BE
            and not scan.flags[k] & BIT["function"]
            and not (w.endswith("ly") or w in ("otherwise", "entirely"))
        ):
            return None
        k += 1
    return None


def _broken(scan: Scan, start: int, end: int) -> bool:
    return any(
        w in HARD or (w == "," and not _list(scan, i, end))
        for i, w in enumerate(scan.words[start:end], start)
    )


def _list(scan: Scan, comma: int, end: int) -> bool:
    return any(m.start > comma and m.start < end for m in scan.mentions)


def _of_function(m: Mention) -> bool:
    """`kidney function`, `cognition`: what is normal when nothing is wrong."""
    return any(n.kind == "measurement" for n in m.nodes) or m.text.split(" ")[0] in (
        "cognition",
        "memory",
        "hearing",
        "vision",
    )


# --- what is supposed


STRONG = wordset("would if hypothetical counterfactual suppose supposing imagine")
AWAY = wordset(
    "not never without no absent removed spared removing remove subtract avoided prevented but minus "
    "excluding"
)


def _supposed(scan: Scan) -> None:
    """`without the stroke the risk would fall` takes it that there was one; `if she had a stroke` does not."""
    words = scan.words
    inverted = (
        len(words) > 1
        and words[0] in ("had", "were", "should")
        and any(w in ("would", "could", "might") for w in words)
    )
    opened = words[0] in ("without", "absent", "removing", "remove") and (
        (words[1:2] and words[1] in ("the", "her", "his", "this", "these", "their", "your"))
        or "would" in words
    )
    opened = opened or (words[0] in ("with", "given", "assuming") and "would" in words)
    if not (inverted or opened or any(w in STRONG for w in words) or ("have" in words and "could" in words)):
        return
    begin, end = _supposition(scan, inverted, bool(opened))
    scan.supposed = (begin, end)
    away = any(w in AWAY for w in words[begin:end])
    for m in scan.mentions:
        if m.frame.startswith("denied"):
            m.frame = "supposed"
        elif begin <= m.start < end and m.frame in ("told", "led"):
            m.frame = "supposed" if away else "general"
    if away:
        scan.supposed = (0, 0)


def _supposition(scan: Scan, inverted: bool, opened: bool) -> tuple[int, int]:
    """The part of the sentence that is supposed."""
    words = scan.words
    begin = (
        0
        if inverted or opened
        else next((i for i, w in enumerate(words) if w in ("if", "without", "absent", "but", "in")), 0)
    )
    end = next(
        (i for i in range(begin + 1, len(words)) if words[i] == "," or words[i] in ("would", "could")),
        len(words),
    )
    while (
        end < len(words)
        and words[end] == ","
        and _goes_on(scan, end + 1, {m.start: m.end for m in scan.mentions})
    ):
        end = next(
            (i for i in range(end + 1, len(words)) if words[i] == "," or words[i] in ("would", "could")),
            len(words),
        )
    return begin, end


# --- of others


def _general(scan: Scan) -> None:
    """People at large: what they have is not told of this person, unless the sentence says that it is so here."""
    if scan.seen & LIKE:
        return
    first = min(_starts(scan, PEOPLE), default=len(scan.words))
    for m in scan.mentions:
        if (
            m.frame in ("told", "led", "denied")
            and m.state is None
            and (m.start > first or _subject(scan, first))
        ):
            m.frame = "general"


def _subject(scan: Scan, place: int) -> bool:
    """Whether people at large are told of in the same breath as what stands before them."""
    words = scan.words
    own = {"her", "his", "she", "he", "your", "you", "patient"}
    return not (own & set(words[:place]))


def _kin(scan: Scan, breaks: list[int]) -> None:
    for p in _starts(scan, KIN):
        begin = _clause(breaks, p)
        for m in scan.mentions:
            if m.state is not None and m.start <= p < m.end:
                break
            if m.start > p and _clause(breaks, m.start) == begin and m.frame in ("told", "led", "denied"):
                m.frame = "kin" if m.frame != "denied" else "kin denied"
