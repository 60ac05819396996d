"""How fast, how safe and how right the synth stage is, beside a bare loop and the stock client.

    python benchmarks/synth.py             # about five minutes; needs a C compiler for the loopback server
    python benchmarks/synth.py --full      # also a million requests for the memory row

Prints a row a figure (name, ours, peer or limit, ratio, goal, ok or short); exits with 1 when a row is short.
Rates are measured against the ideal, requests in flight divided by latency; CPU seconds are those of the client's
process alone, and are the figure to trust on a busy machine.
"""

import argparse
import asyncio
import importlib.util
import io
import itertools
import json
import random
import resource
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

HERE = Path(__file__).parent
LATENCY = 0.2
LINES = [
    f"[E{d:03d}] age {40 + d % 45}.{d % 10} ({d % 30}.{d % 7} y before): creatinine {d % 37 / 10 + 0.5:.1f} mg/dL"
    for d in range(1, 600)
]


def messages(i: int) -> list[dict[str, str]]:
    """About 6 kB."""
    start = (i * 7) % 480
    text = f"RQID-{i:08d}\n" + "\n".join(LINES[start : start + 115])
    return [
        {"role": "system", "content": "You are a clinician. Cite evidence."},
        {"role": "user", "content": text},
    ]


def body(i: int) -> dict[str, Any]:
    return {"model": "bench", "messages": messages(i), "seed": i, "max_completion_tokens": 300}


# --- one client a process -------------------------------------------------------------------------------------------


async def bare(n: int, in_flight: int, port: int, folder: Path) -> dict[str, Any]:
    """The least that asyncio can do: one kept connection a worker, headers by hand, nothing stored."""
    todo = iter(range(n))

    async def worker() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for i in todo:
            data = json.dumps(body(i)).encode()
            writer.write(
                b"POST /v1/chat/completions HTTP/1.1\r\ncontent-length: %d\r\n\r\n" % len(data) + data
            )
            head = await reader.readuntil(b"\r\n\r\n")
            json.loads(
                await reader.readexactly(int(head.lower().split(b"content-length: ")[1].split(b"\r")[0]))
            )
        writer.close()

    await asyncio.gather(*(worker() for _ in range(in_flight)))
    return {}


async def stock(n: int, in_flight: int, port: int, folder: Path) -> dict[str, Any]:
    """The documented use of the client: `await client.chat.completions.create(...)` in so many workers."""
    from openai import AsyncOpenAI

    todo = iter(range(n))
    async with AsyncOpenAI(base_url=f"http://127.0.0.1:{port}/v1", api_key="none") as client:

        async def worker() -> None:
            for i in todo:
                await client.chat.completions.create(**body(i))

        await asyncio.gather(*(worker() for _ in range(in_flight)))
    return {}


async def distilabel(n: int, in_flight: int, port: int, folder: Path) -> dict[str, Any]:
    """Its OpenAI model, batch after batch, as its steps ask it; without its pipeline, which only adds to it."""
    import logging
    import warnings

    warnings.simplefilter("ignore")
    from distilabel.models import OpenAILLM

    logging.disable(logging.CRITICAL)
    llm = OpenAILLM(model="bench", base_url=f"http://127.0.0.1:{port}/v1", api_key="none")
    llm.load()
    for start in range(0, n, in_flight):
        batch = [messages(i) for i in range(start, min(start + in_flight, n))]
        await asyncio.gather(*(llm.agenerate(input=m, max_new_tokens=300) for m in batch))
    return {}


async def job(
    n: int, in_flight: int, port: int, folder: Path, transport: Literal["fast", "openai"]
) -> dict[str, Any]:
    """Ours: keys, limiter, retries, ledger and parsing included."""
    from wherefore.study.progress import Progress
    from wherefore.synth.asking.job import Job
    from wherefore.synth.ledger.ledger import Ledger
    from wherefore.synth.settings import Settings
    from wherefore.synth.styles import style
    from wherefore.synth.teachers import openai
    from wherefore.synth.teaching import Request, key

    settings = Settings.model_validate({"job": {"in_flight": in_flight, "attempts": 12}})
    options = openai.Options(model="bench", base_url=f"http://127.0.0.1:{port}/v1", transport=transport)
    requests = (Request(key(b), b, None, style("free"), 0, 1) for b in map(body, range(n)))  # type: ignore[arg-type]
    with (
        Ledger(folder / "ledger", expected=n) as ledger,
        Progress("requests", n, io.StringIO()) as bar,
    ):
        async with openai.doors(options) as doors:
            job = Job(doors, ledger, settings, bar)
            await job.run(requests)
        return {"stored": len(ledger), "faults": dict(job.faults), "limit": job.gates[0].limiter.limit}


def cohort(home: Path, n: int) -> None:
    """Tables of a cohort of n people, as the cohort stage writes them: a thousand made people under new names."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    sys.path.insert(0, str(HERE.parent / "tests" / "synth"))
    from conftest import people

    from wherefore.cohort.records import Case, Evidence
    from wherefore.study.records import to_frame, write_table

    folder = home / "cohort"
    for name, kind, rows, columns in zip(
        ("cases", "evidence"), (Case, Evidence), people(1000), (("id", "subject"), ("case",)), strict=True
    ):
        path = folder / f"{name}.parquet"
        write_table(path, to_frame(rows, kind), kind)
        table = pq.read_table(path)
        with pq.ParquetWriter(path, table.schema, compression="zstd") as writer:
            for start in range(0, n // 1000, 20):  # in row groups of twenty thousand people
                parts = [renamed(table, columns, i) for i in range(start, min(start + 20, n // 1000))]
                writer.write_table(pa.concat_tables(parts))


def renamed(table: Any, columns: tuple[str, ...], i: int) -> Any:
    """The table with `i` in front of the names in some columns."""
    import pyarrow as pa
    import pyarrow.compute as pc

    for column in columns:
        text = table[column].type
        fresh = pc.binary_join_element_wise(pa.scalar(f"{i:04d}", text), table[column], pa.scalar("-", text))
        table = table.set_column(table.schema.get_field_index(column), column, fresh)
    return table


async def stage(n: int, in_flight: int, port: int, home: Path) -> dict[str, Any]:
    """Everything that asking is in `wherefore synth`: cases from Parquet, templates, the job, the ledger."""
    from wherefore.study.config import Study
    from wherefore.synth.ledger.ledger import Ledger
    from wherefore.synth.plan import RequestPlan
    from wherefore.synth.run import resolve
    from wherefore.synth.shards import ask, total

    teacher = {
        "name": "openai",
        "model": "m",
        "base_url": f"http://127.0.0.1:{port}/v1",
        "transport": "fast",
    }
    study = Study(
        name="memory",
        cohort={},
        synth={"teacher": teacher, "styles": ["free"], "job": {"in_flight": in_flight}},
    )
    plan = RequestPlan(study, resolve(study))
    expected = total(plan, home / "cohort")
    with Ledger(home / "ledger", expected=expected) as ledger:
        await asyncio.to_thread(ask, plan, ledger, home / "cohort", expected)
        return {"stored": len(ledger)}


def client(name: str, n: int, in_flight: int, port: int, folder: Path) -> None:
    """Run one client in this process and print what it took."""
    runs = {
        "bare": lambda: bare(n, in_flight, port, folder),
        "stock": lambda: stock(n, in_flight, port, folder),
        "distilabel": lambda: distilabel(n, in_flight, port, folder),
        "fast": lambda: job(n, in_flight, port, folder, "fast"),
        "openai": lambda: job(n, in_flight, port, folder, "openai"),
        "stage": lambda: stage(n, in_flight, port, folder),
    }
    factory = None
    if name in ("fast", "openai") and importlib.util.find_spec("uvloop"):
        import uvloop

        factory = uvloop.new_event_loop

    ours = ("aiohttp", "wherefore.synth.teachers.openai", "wherefore.synth.asking.job")
    for module in ("openai", *(("distilabel.models",) if name == "distilabel" else ours)):
        importlib.import_module(module)  # before the clock starts

    async def timed() -> tuple[dict[str, Any], float, float]:
        start, cpu = time.perf_counter(), time.process_time()
        return await runs[name](), time.perf_counter() - start, time.process_time() - cpu

    with asyncio.Runner(loop_factory=factory) as runner:
        more, wall, cpu = runner.run(timed())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"rate": n / wall, "cpu": 1000 * cpu / n, "peak_mib": peak, **more}))


# --- the server and the rows ----------------------------------------------------------------------------------------


@contextmanager
def server() -> Iterator[int]:
    """Build and start the loopback server; yields its port."""
    with tempfile.TemporaryDirectory() as scratch:
        program = Path(scratch) / "chat_server"
        compiler = shutil.which("cc") or shutil.which("gcc")
        if compiler is None:
            sys.exit("benchmarks/synth.py: no C compiler (cc or gcc) for the loopback server. Install one.")
        subprocess.run([compiler, "-O2", "-o", program, HERE / "chat_server.c"], check=True)
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            port = s.getsockname()[1]
        with subprocess.Popen([program, str(port)]) as process:
            try:
                for _ in range(100):
                    with socket.socket() as s:
                        if s.connect_ex(("127.0.0.1", port)) == 0:
                            break
                    time.sleep(0.05)
                yield port
            finally:
                process.terminate()


def ask(port: int, path: str) -> dict[str, Any]:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}") as response:
        answer: dict[str, Any] = json.load(response)
    return answer


def measured(
    name: str,
    n: int,
    in_flight: int,
    port: int,
    repeats: int = 1,
    python: str = sys.executable,
    **settings: float,
) -> dict[str, Any]:
    """The run of one client with the median rate, and the median of its CPU seconds."""
    runs = []
    for _ in range(repeats):
        ask(port, "/reset?" + "&".join(f"{k}={v}" for k, v in settings.items()))
        with tempfile.TemporaryDirectory() as folder:
            if name == "stage":
                subprocess.run([sys.executable, __file__, "--cohort", folder, str(n)], check=True)
            out = subprocess.run(
                [python, __file__, "--client", name, str(n), str(in_flight), str(port), folder],
                capture_output=True,
                text=True,
                timeout=1800,
            )
        if out.returncode:
            sys.exit(f"benchmarks/synth.py: {name}: {out.stderr.strip()[-400:]}")
        runs.append({**json.loads(out.stdout.splitlines()[-1]), "server": ask(port, "/stats")})
    runs.sort(key=lambda r: r["rate"])
    return {**runs[len(runs) // 2], "cpu": statistics.median(r["cpu"] for r in runs)}


class GoalTable:
    """Prints rows and remembers whether one was short."""

    def __init__(self) -> None:
        self.short = 0
        print(f"{'figure':58} {'ours':>10} {'peer/limit':>12} {'ratio':>7} {'goal':>8}")

    def add(self, name: str, ours: float, peer: float, ratio: float, goal: float, most: bool = False) -> None:
        ok = ratio <= goal if most else ratio >= goal
        self.short += not ok
        sign = "<=" if most else ">="
        print(
            f"{name:58} {ours:10.4g} {peer:12.4g} {ratio:7.3f} {sign}{goal:6g} {'ok' if ok else 'short'}",
            flush=True,
        )

    def say(self, name: str, ours: float, peer: float) -> None:
        print(f"{name:58} {ours:10.4g} {peer:12.4g} {ours / peer if peer else 0:7.3f}", flush=True)


def throughput(rows: GoalTable, port: int, repeats: int, peer_python: str) -> None:
    for in_flight, n, goal in ((64, 2500, 0.93), (256, 8000, 0.93), (1024, 60000, 0.80)):
        ideal = in_flight / LATENCY
        ours = measured("fast", n, in_flight, port, repeats)
        rows.add(
            f"requests/s, {in_flight} in flight, fast, against the ideal",
            ours["rate"],
            ideal,
            ours["rate"] / ideal,
            goal,
        )
        rows.add(
            f"CPU seconds/1,000, {in_flight} in flight, fast", ours["cpu"], 0.3, ours["cpu"], 0.3, most=True
        )
        for name, label in (
            ("bare", "bare asyncio"),
            ("stock", "stock AsyncOpenAI"),
            ("openai", "ours through the client"),
        ):
            peer = measured(name, min(n, 6000), in_flight, port)
            rows.say(f"  {label}: requests/s ({peer['cpu']:.2f} CPU seconds/1,000)", peer["rate"], ideal)
        peer_there = subprocess.run(
            [peer_python, "-c", "import distilabel"], capture_output=True, check=False
        )
        if peer_there.returncode:
            print("  distilabel: not installed, not measured")
            continue
        peer = measured("distilabel", 6 * in_flight, in_flight, port, python=peer_python)
        name = f"  distilabel's OpenAILLM: requests/s ({peer['cpu']:.2f} CPU seconds/1,000)"
        rows.say(name, peer["rate"], ideal)


def faults(rows: GoalTable, port: int, repeats: int) -> None:
    ideal = 64 / LATENCY
    ours = measured("fast", 4000, 64, port, repeats, p429=0.02, p500=0.02, pdrop=0.01)
    rows.add(
        "requests/s with 2 % 429 and 3 % other faults, 64 in flight",
        ours["rate"],
        ideal,
        ours["rate"] / ideal,
        0.80,
    )
    for n, latency in ((12_000, 0.2), (6000, 1.0)):
        ideal = 300 / latency
        ours = measured("fast", n, 1024, port, repeats, lat=1000 * latency, jit=20, cap=300, ra=1)
        rows.add(
            f"requests/s under a cap of 300 in flight, {latency} s latency",
            ours["rate"],
            ideal,
            ours["rate"] / ideal,
            0.80,
        )
        refused = ours["server"]["over_cap"]
        rows.add("refusals under that cap", refused, 100, refused, 99, most=True)


def memory(rows: GoalTable, port: int, full: bool) -> None:
    most = 1_000_000 if full else 100_000
    small, large = (measured("stage", n, 256, port, lat=5, jit=1) for n in (10_000, most))
    name = f"peak MiB at {most:,} requests against 10,000, cases from disk"
    ratio = large["peak_mib"] / small["peak_mib"]
    rows.add(name, large["peak_mib"], small["peak_mib"], ratio, 1.2, most=True)


def kills(rows: GoalTable, port: int, times: int = 20, n: int = 5000, in_flight: int = 64) -> None:
    """SIGKILL at random moments, restarted each time; then to the end."""
    from wherefore.synth.ledger.ledger import Ledger

    rng = random.Random(1)
    ask(port, "/reset")
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, __file__, "--client", "fast", str(n), str(in_flight), str(port), folder]
        for _ in range(times):
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(rng.uniform(0.3, 2.5))
            process.send_signal(signal.SIGKILL)
            process.wait()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        time.sleep(0.5)
        with Ledger(Path(folder) / "ledger") as ledger:
            stored, lost = len(ledger), sum(map(len, ledger.unanswered.values()))
    seen = ask(port, "/stats")
    rows.add(f"answers stored of {n:,} after {times} kills", stored, n, stored / n, 1.0)
    rows.add(
        "answered again, against in flight at the kills",
        seen["answered_again"],
        times * in_flight,
        seen["answered_again"] / (times * in_flight),
        1.0,
        most=True,
    )
    rows.say("  said to be possibly billed, not received", lost, times * in_flight)


def grounding(rows: GoalTable, people: int = 1000) -> None:
    """Recall and precision for every planted kind, and speed, on simulated patients explained by the reference."""
    import numpy as np

    sys.path.insert(0, str(HERE.parent / "tests" / "synth"))
    from conftest import people as make

    from wherefore.study.records import digest
    from wherefore.synth.dial.told import Hint
    from wherefore.synth.grounding.checks import HistoryFacts, ground
    from wherefore.synth.records import Claim, Rationale
    from wherefore.synth.reference.narrative import narrative
    from wherefore.synth.styles import STYLES
    from wherefore.synth.teaching import History

    cases, evidence = make(people)
    lines = {k: tuple(g) for k, g in itertools.groupby(evidence, key=lambda e: e.case)}
    pairs, keys = [], []
    for i, case in enumerate(cases):
        history = History(case, lines[case.id])
        style = list(STYLES.values())[i % len(STYLES)]
        story = narrative(history, style, Hint(int(case.label or 0)), 0.25, np.random.default_rng(i))
        claims = tuple(
            Claim(text=c["text"], cites=tuple(c["evidence"]), section=c["section"])
            for c in (s.as_claim() for s in story.statements)
        )
        rationale = Rationale(
            id=digest([i]),
            case=case.id,
            style=style.name,
            teacher="reference",
            claims=claims,
            verdict=story.verdict,
            label_shown=True,
            key=digest([i]),
        )
        pairs.append((rationale, history))
        keys.append([s.planted for s in story.statements])
    HistoryFacts(pairs[0][1])  # the tables are read once a process, not once a rationale
    start = time.process_time()
    results = [ground(r, HistoryFacts(h)) for r, h in pairs]
    rows.add(
        "rationales grounded/s of CPU",
        people / (time.process_time() - start),
        2000,
        people / (time.process_time() - start) / 2000,
        1.0,
    )
    flat = [
        (kind, c)
        for kinds, g in zip(keys, results, strict=True)
        for kind, c in zip(kinds, g.checks, strict=True)
    ]
    for kind in sorted({k for k, _ in flat if k}):
        checks = [c for k, c in flat if k == kind]
        hit = sum(c.verdict != "supported" for c in checks)
        rows.add(f"planted {kind} not supported", hit, len(checks), hit / len(checks), 0.95)
    sound = [c.verdict for k, c in flat if k is None]
    rows.add(
        "sound claims supported",
        sound.count("supported"),
        len(sound),
        sound.count("supported") / len(sound),
        0.95,
    )
    flagged = [k for k, c in flat if c.verdict == "fault"]
    right = sum(k is not None for k in flagged)
    rows.add("precision of flagged claims", right, len(flagged), right / len(flagged), 0.98)
    named = sum(k in (c.fault, c.doubt) for k, c in flat if k)
    rows.say(
        "  flagged or doubted under the planted kind's own name", named, sum(k is not None for k, _ in flat)
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--full", action="store_true", help="a million requests for the memory row")
    parser.add_argument("--only", choices=("throughput", "faults", "memory", "kills", "grounding"))
    parser.add_argument("--repeats", type=int, default=3, help="runs of ours; the median counts")
    parser.add_argument(
        "--peer-python", default=sys.executable, help="an interpreter that can import distilabel"
    )
    parser.add_argument("--client", nargs=5, help=argparse.SUPPRESS)
    parser.add_argument("--cohort", nargs=2, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.cohort:
        cohort(Path(args.cohort[0]), int(args.cohort[1]))
        return
    if args.client:
        name, n, in_flight, port, folder = args.client
        client(name, int(n), int(in_flight), int(port), Path(folder))
        return
    rows = GoalTable()
    if args.only in (None, "grounding"):
        grounding(rows)
    if args.only != "grounding":
        with server() as port:
            for part, work in (
                ("throughput", lambda: throughput(rows, port, args.repeats, args.peer_python)),
                ("faults", lambda: faults(rows, port, args.repeats)),
                ("memory", lambda: memory(rows, port, args.full)),
                ("kills", lambda: kills(rows, port)),
            ):
                if args.only in (None, part):
                    work()
    sys.exit(1 if rows.short else 0)


if __name__ == "__main__":
    main()
