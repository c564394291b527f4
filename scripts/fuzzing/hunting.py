"""One target's hunt: inputs are judged and counted, faults confirmed and kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from fuzzing.files import Files, digest
from fuzzing.isolation import Isolated
from fuzzing.judging import Verdict
from fuzzing.targets import Target

_NUM_CONFIRMATIONS = 2
#: Inputs with a new outcome that later ones start from.
_MAX_FOUND = 200


@dataclass(frozen=True, slots=True)
class Finding:
    """An input that does what none should do."""

    files: Files
    verdict: Verdict


@dataclass(slots=True)
class Tally:
    """What one target's hunt came to.

    ``num_unsteady`` counts inputs that were slow or large once and not again: other
    processes, the reader's caches.
    """

    num_inputs: int = 0
    seconds: float = 0.0
    outcomes: dict[str, int] = field(default_factory=dict)
    slowest_s: float = 0.0
    slowest: str = ""
    largest_bytes: int = 0
    num_unsteady: int = 0
    findings: list[Finding] = field(default_factory=list)


class Hunt:
    """Judges inputs of one target; ``keep`` is told of each fault as soon as it is settled.

    ``seconds`` and ``growth_bytes`` are those of the last input.
    """

    def __init__(
        self, name: str, target: Target, isolated: Isolated, keep: Callable[[Finding], None]
    ) -> None:
        self.name = name
        self.target = target
        self.tally = Tally()
        self.seconds = 0.0
        self.growth_bytes = 0
        self._isolated = isolated
        self._keep = keep
        self._known: set[str] = set()
        self._found: list[Files] = []

    @property
    def seeds(self) -> Sequence[Files]:
        """What inputs are made from: the target's own, and what had an outcome of its own."""
        return (*self.target.seeds(), *self._found)

    def read_seeds(self) -> None:
        """Judge the whole inputs first; the readers' process has started then."""
        for files in self.target.seeds():
            if (fault := self.confirmed(files, self.judge(files))) is not None:
                self.settle(files, fault)

    def judge(self, files: Files) -> Verdict | None:
        """A fault of this input that is not known yet."""
        return self.count(files, self._isolated.judge(files))

    def count(self, files: Files, verdicts: Sequence[Verdict]) -> Verdict | None:
        """Count an input that was judged; a fault of it that is not known yet."""
        self.seconds = max(verdict.seconds for verdict in verdicts)
        self.growth_bytes = max(verdict.growth_bytes for verdict in verdicts)
        tally = self.tally
        tally.num_inputs += 1
        tally.largest_bytes = max(tally.largest_bytes, self.growth_bytes)
        if self.seconds > tally.slowest_s:
            tally.slowest_s, tally.slowest = self.seconds, digest(files)
        if any(verdict.outcome not in tally.outcomes for verdict in verdicts):
            self._found = [*self._found, files][-_MAX_FOUND:]
        for verdict in verdicts:
            tally.outcomes[verdict.outcome] = tally.outcomes.get(verdict.outcome, 0) + 1
        return next(iter(self._unknown(verdicts)), None)

    def _unknown(self, verdicts: Sequence[Verdict]) -> list[Verdict]:
        return [v for v in verdicts if v.fault is not None and signature(v) not in self._known]

    def confirmed(self, files: Files, fault: Verdict | None) -> Verdict | None:
        """What others may have caused is judged again, in fresh processes."""
        if fault is None or not fault.may_be_anothers:
            return fault
        for _ in range(_NUM_CONFIRMATIONS):
            self._isolated.restart()
            verdicts = self._isolated.judge(files)
            again = [v for v in self._unknown(verdicts) if signature(v) == signature(fault)]
            if not again:
                self.tally.num_unsteady += 1
                return None
        return fault

    def settle(self, files: Files, fault: Verdict) -> None:
        """The fault is known from now on, and this is the input to keep."""
        self._known.add(signature(fault))
        finding = Finding(files, fault)
        self.tally.findings.append(finding)
        self._keep(finding)


def signature(fault: Verdict) -> str:
    """Equal for what is one fault, most likely."""
    if fault.may_be_anothers:
        return f"{fault.reader}: {fault.fault} ({fault.outcome})"
    return f"{fault.fault}"
