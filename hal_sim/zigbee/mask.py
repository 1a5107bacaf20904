"""Activity by the minute: 30 bits, one for each 2 s, from when somebody moved.

Owns the activity sensor's samples. Must never take a timer for a sample: they are computed when the minute is over.
Source: docs/zigbee-profile.md, cluster 0xFC30.
"""

MINUTE_MS = 60_000
_SAMPLE_MS = 2000
_SAMPLES = 30


class Moves:
    """When somebody moved, for as long as it is still to be told."""

    def __init__(self) -> None:
        self._spans: list = []  # [from ms, to ms], in order, apart from each other

    def see(self, now_ms: int, for_ms: int) -> None:
        """Somebody moves from now on."""
        spans = self._spans
        if spans and spans[-1][1] >= now_ms:
            spans[-1][1] = max(spans[-1][1], now_ms + for_ms)
        else:
            spans.append([now_ms, now_ms + for_ms])

    @property
    def until_ms(self) -> int:
        """When the last movement ends; 0 = there was none."""
        return self._spans[-1][1] if self._spans else 0

    def forget(self, now_ms: int) -> None:
        """A restart: what was before is not known, who moves now is seen anew."""
        self._spans = [[now_ms, span[1]] for span in self._spans if span[1] > now_ms]

    def mask(self, start_ms: int) -> int:
        """The 30 bits of the minute that began then; what ended before the next minute is forgotten."""
        found = 0
        for begin, end in self._spans:
            first = max(begin - start_ms, 0) // _SAMPLE_MS
            last = min((end - 1 - start_ms) // _SAMPLE_MS, _SAMPLES - 1)
            for bit in range(first, last + 1):
                found |= 1 << bit
        self._spans = [span for span in self._spans if span[1] > start_ms + MINUTE_MS]
        return found
