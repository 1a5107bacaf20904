"""The tables (docs/relay.md). Times are ms since 1970 of the relay's clock, but `at`: that is the gateway's.

One text for both databases: what differs between them is in braces.
"""

VERSION = 1

TABLES = (
    # every gateway that was ever heard, as it is now
    """CREATE TABLE IF NOT EXISTS gateways (
        gateway TEXT PRIMARY KEY, first BIGINT NOT NULL, heard BIGINT NOT NULL,
        silent_at BIGINT NOT NULL, silent BIGINT, link TEXT NOT NULL, link_at BIGINT NOT NULL,
        boot BIGINT, version TEXT, waiting BIGINT, every BIGINT, mains INTEGER,
        taken BIGINT NOT NULL DEFAULT 0, counter BIGINT NOT NULL DEFAULT 0, relay TEXT,
        records BIGINT NOT NULL DEFAULT 0, repeats BIGINT NOT NULL DEFAULT 0, conflicts BIGINT NOT NULL DEFAULT 0,
        event TEXT, event_at BIGINT)""",
    # a row a record, for ever; record is the JSON as sent, at and clock the best that is known by now
    """CREATE TABLE IF NOT EXISTS records (
        gateway TEXT NOT NULL, boot BIGINT NOT NULL, seq BIGINT NOT NULL, kind TEXT NOT NULL, event TEXT,
        test INTEGER NOT NULL, at BIGINT, clock TEXT NOT NULL, up BIGINT,
        received BIGINT NOT NULL, record TEXT NOT NULL, PRIMARY KEY (gateway, boot, seq))""",
    "CREATE INDEX IF NOT EXISTS records_by_time ON records (gateway, at)",
    "CREATE INDEX IF NOT EXISTS records_by_event ON records (event, at) WHERE event IS NOT NULL",
    "CREATE INDEX IF NOT EXISTS records_by_arrival ON records (received)",
    "CREATE INDEX IF NOT EXISTS records_undated ON records (gateway, boot) WHERE at IS NULL",
    # at - up of a boot, once something of it was dated
    """CREATE TABLE IF NOT EXISTS boots (
        gateway TEXT NOT NULL, boot BIGINT NOT NULL, started BIGINT NOT NULL, PRIMARY KEY (gateway, boot))""",
    # a second record under a used identity; the first one is in records
    """CREATE TABLE IF NOT EXISTS conflicts (
        gateway TEXT NOT NULL, boot BIGINT NOT NULL, seq BIGINT NOT NULL, digest TEXT NOT NULL,
        received BIGINT NOT NULL, record TEXT NOT NULL, PRIMARY KEY (gateway, boot, seq, digest))""",
    # what could not be read, as it came; so many of each gateway, then only counted
    """CREATE TABLE IF NOT EXISTS refused (
        gateway TEXT NOT NULL, digest TEXT NOT NULL, received BIGINT NOT NULL, topic TEXT NOT NULL,
        reason TEXT NOT NULL, payload {blob} NOT NULL, PRIMARY KEY (gateway, digest))""",
    """CREATE TABLE IF NOT EXISTS refusals (
        gateway TEXT PRIMARY KEY, kept BIGINT NOT NULL, count BIGINT NOT NULL)""",
    # from: last heard; until: heard again, null while it is silent
    """CREATE TABLE IF NOT EXISTS silences (
        gateway TEXT NOT NULL, since BIGINT NOT NULL, until BIGINT, PRIMARY KEY (gateway, since))""",
    # state: waiting, sending (handed to the broker), sent, done, refused (reason), expired
    """CREATE TABLE IF NOT EXISTS commands (
        gateway TEXT NOT NULL, id TEXT NOT NULL, created BIGINT NOT NULL, expires BIGINT NOT NULL, body TEXT NOT NULL,
        state TEXT NOT NULL, counter BIGINT, sent BIGINT, answered BIGINT, reason TEXT, PRIMARY KEY (gateway, id))""",
    "CREATE INDEX IF NOT EXISTS commands_open ON commands (state) WHERE state IN ('waiting', 'sending', 'sent')",
    "CREATE INDEX IF NOT EXISTS gateways_due ON gateways (silent_at) WHERE silent IS NULL",
    "CREATE INDEX IF NOT EXISTS gateways_silent ON gateways (heard) WHERE silent IS NOT NULL",
    "CREATE INDEX IF NOT EXISTS gateways_heard ON gateways (heard)",
    # the relays on this database, when each last listened to its broker, and which start of it that was
    "CREATE TABLE IF NOT EXISTS relays (relay TEXT PRIMARY KEY, seen BIGINT NOT NULL, run TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS relay_schema (version INTEGER NOT NULL)",
)
