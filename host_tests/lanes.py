"""The order in which a relay sees records: each lane's by identity, whatever the others do (docs/relay-protocol.md)."""


def lane(record: dict) -> str:
    """alarm, event or data."""
    if record["kind"] != "event":
        return "data"
    urgent = record["event"].startswith("emergency.") or record["event"] == "call.ended"
    return "alarm" if urgent else "event"


def identity(record: dict) -> tuple:
    return record["boot"], record["seq"]


def check_order(records: list) -> None:
    """Each lane's records, repeats removed, are in order of their identity (I7)."""
    for which in ("alarm", "event", "data"):
        order = [identity(record) for record in records if lane(record) == which]
        assert order == sorted(order), f"{which} out of order"
