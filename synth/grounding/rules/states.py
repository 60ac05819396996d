"""How somebody lives: smoking, alone or not, in what area; and who it is: sex and age."""

from ..findings import Findings
from ..reading.reading import ClaimReading
from ..reading.scan import Mention

VALUES = {
    "smoking": frozenset(("never", "former", "current")),
    "living": frozenset(("alone", "partner", "family", "institution")),
    "deprivation": frozenset(("deprived", "affluent")),
    "sex": frozenset(("female", "male")),
}


def states(r: ClaimReading, findings: Findings) -> None:
    """What is said of the way of living fits the line of it."""
    for m in r.mentions:
        if m.state is None or m.frame in ("general", "kin", "led"):
            continue
        if m.state.what == "sex":
            _sex(r, m, findings)
        elif m.frame in ("told", "supposed", "denied"):
            _state(m, findings)
        else:
            findings.doubt("unread", f"{m.text!r}")


def _state(m: Mention, findings: Findings) -> None:
    assert m.state is not None
    allowed = m.state.allowed
    if m.frame == "denied":
        allowed = VALUES.get(m.state.what, frozenset()) - allowed
    if not m.lines and m.frame == "denied":
        findings.holds()
        return
    if not m.lines:
        findings.doubt("unread", f"no line says anything of {m.state.what}")
        return
    line = m.lines[0]
    assert line.known.state is not None
    recorded = line.known.state.allowed
    if recorded <= allowed:
        findings.holds(line)
    elif not recorded & allowed:
        name = "contradiction" if m.frame == "denied" else "wrong_name"
        findings.fault(name, f"says {m.text!r}; {line.id} is {line.e.name}")
    else:
        findings.doubt("unread", f"says {m.text!r}; {line.id} is {line.e.name}")


def _sex(r: ClaimReading, m: Mention, findings: Findings) -> None:
    assert m.state is not None
    sex = r.facts.sex
    if sex is None or m.frame not in ("told", "supposed"):
        return
    if sex in m.state.allowed:
        findings.holds(*m.lines, facts=1 if m.cited else 0)
    else:
        findings.fault("wrong_sex", f"says {m.text}; the person is {sex}")


def person(r: ClaimReading, findings: Findings) -> None:
    """Pronouns and the age are this person's."""
    sex = r.facts.sex
    other = {"female": "male", "male": "female"}.get(sex or "", "")
    if other and r.has(other) and not r.has(sex or "") and not r.has("kin") and not r.has("people"):
        word = r.words[r.starts(other)[0]]
        findings.fault("wrong_sex", f"says {word!r}; the person is {sex}")
    age = r.facts.age
    for q in r.quantities:
        if q.role != "own age":
            continue
        if (
            q.matches(age)
            or any(q.matches(x.age) for x in r.lines if x.age is not None)
            or any(q.matches(x.since) for x in r.lines if x.since is not None)
        ):
            findings.holds()
        elif q.low > age:
            findings.fault("future", f"says age {q.text}; the prediction time is at age {age:.1f}")
        else:
            findings.fault("wrong_age", f"says {q.text} years old; the person is {age:.1f}")
