"""What a person sees of a run: a line while it goes on, a page at its end."""

from __future__ import annotations

from typing import Any, TextIO

from tools.fleet.tally import Tally

_LINE_S = 10.0  # between lines where nothing can be overwritten


class Progress:
    """A line about the run: on a terminal the same one again and again, else one every 10 s."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._live = out.isatty()
        self._next_s = 0.0
        self._last = (0.0, 0)
        self._written = False

    def __call__(self, tally: Tally, seconds: float) -> None:
        if not self._live and seconds < self._next_s:
            return
        since, answered = self._last
        rate = (tally.answered - answered) / (seconds - since) if seconds > since else 0.0
        self._last = (seconds, tally.answered)
        self._next_s = seconds + _LINE_S
        p50, p99 = (1000 * tally.answering.percentile(percent) for percent in (50, 99))
        text = (f"{seconds:6.0f} s  {tally.up} up  {rate:,.0f} records/s  {tally.waiting():,} waiting  "
                f"answer p50 {p50:.0f} ms p99 {p99:.0f} ms")
        self._out.write(f"\r{text}\x1b[K" if self._live else text + "\n")
        self._out.flush()
        self._written = True

    def end(self) -> None:
        if self._live and self._written:
            self._out.write("\n")
            self._out.flush()


def report(found: dict[str, Any], tally: Tally) -> list[str]:
    """found: of tools.fleet.run.summary."""
    lines = [
        f"gateways      {found['connected']} of {found['gateways']} connected at once, {found['connects']} connections "
        f"in {found['seconds']:.0f} s",
        f"connecting    {_times(found['connect_ms'])}",
        f"records       {found['records']:,} made, {found['records_per_s']:,.0f} a second, "
        f"{found['records_per_batch']} a batch",
        f"answers       {_times(found['answer_ms'])}",
        f"events        {_times(found['event_ms'])} from the event to the answer",
        f"heartbeats    {found['beats']:,}; commands {found['commands']:,}",
        f"sent again    {found['again']:,} batches; {found['strange_answers']:,} answers for none under way",
    ]
    lines.append("CPU           " + ", ".join(f"{name} {seconds:g} s" for name, seconds in found["cpu_s"].items()))
    for name in ("failed", "ended"):
        lines += [f"{name:<13} {count:,} x {why}" for why, count in found[name].items() if why != "left"]
    if "outage_s" in found:
        lines.append(f"after the outage of {found['outage_s']:g} s: at most {found['reconnects_busiest_s']} "
                     "connections within a second")
        lines += tally.reconnects.bars()
    lines.append(f"committed     {found['committed']:,}: {found['lost']:,} lost, {found['doubled']:,} doubled, "
                 f"{found['out_of_order']:,} out of order{_why_bad(found)}")
    return lines


def _why_bad(found: dict[str, Any]) -> str:
    """Order is a broker's choice where several relays share: whoever knows that says so."""
    return ", a failure without --any-order" if found["out_of_order"] and not found["any_order"] else ""


def _times(figures: dict[str, float]) -> str:
    return f"p50 {figures['p50']:g} ms, p90 {figures['p90']:g}, p99 {figures['p99']:g}, most {figures['max']:g}"
