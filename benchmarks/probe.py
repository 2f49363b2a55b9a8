"""How fast the probe is: its driver, the lattice of a large message, its memory; and that equal stubs agree.

Ratios are of runs in one process one after another, so that they hold on any machine.
"""

from __future__ import annotations

import os
import random
import resource
import selectors
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain, cycle, islice
from statistics import median

from counterfoil.probe.compare import compare
from counterfoil.probe.divergences import KnownDivergences
from counterfoil.probe.edges import edges
from counterfoil.probe.lattice import lattice
from counterfoil.probe.payloads import Encoding, Payload
from counterfoil.probe.stub_protocol import Asking, Question, load_schema
from counterfoil.probing.probing import Budget, Search, random_payloads
from counterfoil.probing.stubs import Stub
from counterfoil.stub.frames import FrameSplitter

from tests import every_feature
from tests.runtime_stubs import LANGUAGES, SCHEMA_ID, command, message_of, panel, running, thing

CHUNK_BYTES = 1 << 18
DRIVEN_PAYLOADS = 40_000
REPEATS = 3
DRIVER_GOAL = 0.5
LATTICE_GOAL_S = 5.0
AGREED_PAYLOADS = 100_000
RANDOM_PAYLOADS = 2_000
LONG_RUN_PAYLOADS = 1_000_000
WARM_PAYLOADS = 100_000
GROWTH_GOAL = 1.1


def driver() -> Iterator[str]:
    """The rate at which the probe drives each binary stub, as a share of that of writing all and reading all."""
    image = every_feature.image()
    message = every_feature.message("Wide")
    binary = [one for one in lattice(message) if one.encoding is Encoding.BINARY]
    payloads = list(islice(cycle(binary), DRIVEN_PAYLOADS))
    asking = Asking(message_type=message.full_name, schema_id=SCHEMA_ID)
    questions = [asking.about(number, payload) for number, payload in enumerate(payloads, start=1)]
    for language in LANGUAGES:
        bare_s, driven_s = [], []
        for _ in range(REPEATS):
            bare_s.append(_bare(language, image, questions))
            with running([command(language)], image) as [stub]:
                driven_s.append(_driven(stub, questions))
        bare, driven = (len(questions) / median(times) for times in (bare_s, driven_s))
        share = driven / bare
        met = "met" if share >= DRIVER_GOAL else "MISSED"
        yield f"{language:7} {driven:9,.0f}/s of {bare:9,.0f}/s: {share:5.2f}   goal {DRIVER_GOAL}: {met}"


def _driven(stub: Stub, questions: Sequence[Question]) -> float:
    began_s = time.perf_counter()
    answered = sum(1 for _ in stub.ask(questions))
    if answered != len(questions):
        raise RuntimeError(f"{answered} answers")
    return time.perf_counter() - began_s


def _bare(language: str, image: bytes, questions: Sequence[Question]) -> float:
    """Seconds to write all frames and read all answers' frames, which are not looked into."""
    start = command(language)
    process = subprocess.Popen(start.command, cwd=start.cwd, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    if process.stdin is None or process.stdout is None:
        raise RuntimeError(start.command)
    sink, source = process.stdin.fileno(), process.stdout.fileno()
    _converse(sink, source, load_schema(1, SCHEMA_ID, image).frame, 1)
    data = b"".join(question.frame for question in questions)
    began_s = time.perf_counter()
    _converse(sink, source, data, len(questions))
    taken_s = time.perf_counter() - began_s
    process.stdin.close()
    process.stdout.close()
    process.wait()
    return taken_s


def _converse(sink: int, source: int, data: bytes, answers: int) -> None:
    os.set_blocking(sink, False)
    splitter, left = FrameSplitter(), memoryview(data)
    with selectors.DefaultSelector() as selector:
        selector.register(sink, selectors.EVENT_WRITE)
        selector.register(source, selectors.EVENT_READ)
        while answers:
            for key, _ in selector.select():
                if key.fd == source:
                    answers -= sum(1 for _ in splitter.feed(os.read(source, CHUNK_BYTES)))
                    continue
                left = left[os.write(sink, left[:CHUNK_BYTES]) :]
                if not left:
                    selector.unregister(sink)


def full_lattice() -> Iterator[str]:
    """How long the lattice of a message of 43 fields takes through the three runtime stubs.

    The goal is for reading and comparing. A search also lets each read what the others wrote, and the payloads in
    another order, and shrinks what it finds.
    """
    message = every_feature.message("Wide")
    payloads = list(lattice(message))
    with running([command(language) for language in LANGUAGES], every_feature.image()) as stubs:
        asked = panel(stubs, message)
        began_s = time.perf_counter()
        rows = asked.ask(payloads)
        apart = sum(bool(compare(*pair)) for pair in zip(payloads, rows, strict=True))
        read_s = time.perf_counter() - began_s
        search = Search(panel(stubs, message), message, KnownDivergences())
        began_s = time.perf_counter()
        found = sum(1 for _ in search.run(payloads, Budget()))
        searched_s = time.perf_counter() - began_s
    met = "met" if read_s < LATTICE_GOAL_S else "MISSED"
    yield f"{len(payloads)} payloads read and compared: {read_s:6.2f} s   goal {LATTICE_GOAL_S:g} s: {met}"
    yield f"... of which {apart} set stubs apart; a search makes {found} findings of them in {searched_s:.2f} s"


def equals() -> Iterator[str]:
    """Each runtime beside itself, over many payloads: whether anything is found."""
    image = thing()
    message = message_of(image, "probe.v1.Thing")
    for language in LANGUAGES:
        with running([command(language, name=name) for name in ("one", "other")], image.SerializeToString()) as stubs:
            search = Search(panel(stubs, message), message, KnownDivergences())
            made = (*lattice(message), *edges(message), *islice(random_payloads(message, seed=0), RANDOM_PAYLOADS))
            payloads = chain(made, _damaged(made))
            budget = Budget(examples=AGREED_PAYLOADS, patience=AGREED_PAYLOADS)
            found = [one.divergence.signature for one in search.run(payloads, budget)]
        progress = search.progress
        met = "met" if not found and progress.payloads == AGREED_PAYLOADS and not search.silent else f"MISSED: {found}"
        yield f"{language:7} {progress.payloads} payloads in {progress.spent_s:6.1f} s, {len(found)} findings: {met}"


def _damaged(payloads: Sequence[Payload]) -> Iterator[Payload]:
    """The payloads again and again, each with some bytes changed, left out or doubled; the same every time."""
    chance = random.Random(0)  # noqa: S311 - no secret
    for payload in cycle(payloads):
        data = bytearray(payload.data)
        for _ in range(chance.randint(1, 3)):
            at = chance.randrange(len(data) + 1)
            data[at : at + chance.randint(0, 2)] = chance.choice((b"", chance.randbytes(1), bytes(data[at : at + 2])))
        yield replace(payload, data=bytes(data))


def memory() -> Iterator[str]:
    """How much the probe's memory grows from its first payloads to a million."""
    image = thing()
    message = message_of(image, "probe.v1.Thing")
    with running([command("rust", name=name) for name in ("one", "other")], image.SerializeToString()) as stubs:
        search = Search(panel(stubs, message), message, KnownDivergences())
        warm_kib, began_s = 0, time.perf_counter()
        for found in search.run(_numbered(message.full_name), Budget(examples=WARM_PAYLOADS)):
            raise RuntimeError(found.divergence.signature)
        warm_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        rest = islice(_numbered(message.full_name), WARM_PAYLOADS, None)
        for found in search.run(rest, Budget(examples=LONG_RUN_PAYLOADS)):
            raise RuntimeError(found.divergence.signature)
    last_kib, taken_s = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.perf_counter() - began_s
    met = "met" if last_kib < warm_kib * GROWTH_GOAL else "MISSED"
    yield f"{warm_kib >> 10} MiB after {WARM_PAYLOADS} payloads, {last_kib >> 10} MiB at most up to {LONG_RUN_PAYLOADS}"
    yield f"goal: less than {GROWTH_GOAL} times: {met} ({search.progress.payloads} payloads, {taken_s:.0f} s)"


def _numbered(name: str) -> Iterator[Payload]:
    """Payloads none of which comes twice."""
    for number in range(LONG_RUN_PAYLOADS * 2):
        data = b'{"name":"%d","stock":%d}' % (number, number)
        yield Payload(encoding=Encoding.JSON, data=data, path=name, kind="document", state="value", phase="lattice")
