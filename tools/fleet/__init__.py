"""A fleet of simulated gateways against a real broker and relay, and what these held (docs/scale.md).

The gateways speak the protocol of docs/relay-protocol.md as the firmware does: own certificate, batches, window,
answers end to end, everything sent again after a reconnect, back-off with jitter. They are no firmware: no home, no
flash. Must never speak to another machine unless its name was given.
"""


class FleetError(Exception):
    """One line that says what is wrong and what to do."""
