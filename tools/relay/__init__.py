"""The reference relay: commits what gateways say over MQTT to a database and answers for it.

The protocol is docs/relay-protocol.md, this program docs/relay.md. What it promises: a record is answered only when it
is committed, and a committed one is there once. Must never answer for what is not in the database.
"""


class RelayError(Exception):
    """One line that says what is wrong and what to do."""
