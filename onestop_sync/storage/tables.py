"""The tables of a store, the same on SQLite, SQLCipher and PostgreSQL.

What is signed is stored as it arrived (`event.header`, `.signature`, `.body`); everything else can be
computed again from it. Rows refer to each other by small local numbers, never by position in a sequence
that two transactions could fill out of order: what other machines count by is `feed.n` alone.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    TextClause,
    UniqueConstraint,
    func,
    literal_column,
    text,
)
from sqlalchemy.event import listen

SCHEMA_VERSION: Final = 3
"""Version of these tables; `upgrade` brings an older store up to it in place."""

metadata = MetaData()
_Number = BigInteger().with_variant(Integer, "sqlite")

# Conditions of partial indexes: a query that is to use one says the same, word for word.
_ZERO_CHAINED: Final = text("chained = 0")
_IS_OPEN: Final = text("open > 0")
_IS_WAITING: Final = text("waiting > 0")
_IS_WANTED: Final = text("wanted > 0")
_IS_SUMMARY: Final = text("held = 0")


def _partial(name: str, *columns: str, where: TextClause) -> Index:
    """Returns an index of the rows that meet a condition.

    PostgreSQL is told of the condition when it makes the index: an argument for it here would load its whole
    dialect, and asyncio with it, into each start of a commune's program.
    """
    index = Index(name, *columns, sqlite_where=where)

    def tell(index: Index, connection: Connection, **_: object) -> None:
        if connection.dialect.name == "postgresql":
            index.dialect_options["postgresql"]["where"] = where

    listen(index, "before_create", tell)
    return index


meta = Table(
    "meta",
    metadata,
    Column("key", Text, primary_key=True),
    Column("value", LargeBinary, nullable=False),
)

log = Table(
    "log",
    metadata,
    Column("n", _Number, primary_key=True, autoincrement=False),
    Column("id", LargeBinary, nullable=False, unique=True),
    Column("key", LargeBinary, nullable=False, index=True),
    Column("unit", Text, nullable=False),
    Column("epoch", Integer, nullable=False),
    # The unbroken chain from the genesis: its last sequence, and that event's id.
    Column("seq", BigInteger, nullable=False),
    Column("head", LargeBinary, nullable=False),
    Column("upward", SmallInteger, nullable=False),  # of a unit below ours: its events go to our parents
    Column("own", SmallInteger, nullable=False),  # written on this machine
    Column("closed", SmallInteger, nullable=False),  # an own log that takes no more: restored, or forked
    Column("broken", SmallInteger, nullable=False),  # holds events off the chain: a fork or a hole
    Column("forked", SmallInteger, nullable=False),  # two events with one sequence
)

event = Table(
    "event",
    metadata,
    Column("n", _Number, primary_key=True, autoincrement=False),
    Column("id", LargeBinary, nullable=False, unique=True),
    Column("log_n", _Number, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("doc_n", _Number, nullable=False, index=True),
    Column("chained", SmallInteger, nullable=False),
    Column("waiting", SmallInteger, nullable=False),
    Column("source", _Number, nullable=False),  # log of the machine that delivered it; 0: written here
    Column("at_ms", BigInteger, nullable=False),  # when it was stored here
    Column("header", LargeBinary, nullable=False),
    Column("signature", LargeBinary, nullable=False),
    Column("body", LargeBinary),
    Index("event_log_seq", "log_n", "seq"),
    # Few rows, and asked for often: what is off its chain.
    _partial("event_off_chain", "log_n", "seq", where=_ZERO_CHAINED),
)

document = Table(
    "document",
    metadata,
    Column("n", _Number, primary_key=True, autoincrement=False),
    Column("id", LargeBinary, nullable=False, unique=True),
    Column("kind", Text, nullable=False),
    Column("state", LargeBinary),  # folded; NULL while nothing applies
    Column("tombstone", LargeBinary),  # what the province published of it when it was erased
)

listing = Table(
    "listing",
    metadata,
    Column("doc_n", _Number, primary_key=True, autoincrement=False),
    Column("kind", Text, nullable=False),
    Column("label", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("step", Text, nullable=False),
    Column("unit", Text, nullable=False),
    Column("due_ms", BigInteger),
    Column("updated_ms", BigInteger, nullable=False),
    Column("open", SmallInteger, nullable=False),  # how many things a person must settle
    Column("waiting", SmallInteger, nullable=False),  # how many events wait for something
    Index("listing_kind_doc", "kind", "doc_n"),
    Index("listing_label", "kind", "label"),
    Index("listing_step", "kind", "step", "doc_n"),
    _partial("listing_open", "kind", "doc_n", where=_IS_OPEN),
    _partial("listing_waiting", "kind", "doc_n", where=_IS_WAITING),
)
# Ordered by when it is due, what has no due date last. The number stands in the statement itself, not beside
# it as a parameter: only then does SQLite find the index.
due_key = func.coalesce(listing.c.due_ms, literal_column(str(2**62)))
is_open: ColumnElement[bool] = listing.c.open > literal_column("0", Integer())
is_waiting: ColumnElement[bool] = listing.c.waiting > literal_column("0", Integer())
is_off_chain: ColumnElement[bool] = event.c.chained == literal_column("0", Integer())
Index("listing_due", listing.c.kind, due_key, listing.c.doc_n)

# Narrow on purpose: a search reads all of it.
search = Table(
    "search",
    metadata,
    Column("doc_n", _Number, primary_key=True, autoincrement=False),
    Column("kind", Text, nullable=False),
    Column("text", Text, nullable=False),
)

# What reports count, one line a document.
tally = Table(
    "tally",
    metadata,
    Column("doc_n", _Number, primary_key=True, autoincrement=False),
    Column("kind", Text, nullable=False),
    Column("unit", Text, nullable=False),
    Column("about", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("begun_ms", BigInteger, nullable=False),
    Column("ended_ms", BigInteger),
    Column("due_ms", BigInteger),
    Column("facts", LargeBinary, nullable=False),
    Index("tally_begun", "kind", "begun_ms"),
)

needs = Table(
    "needs",
    metadata,
    Column("event_n", _Number, primary_key=True, autoincrement=False),
    Column("doc_n", _Number, nullable=False),
    Column("needs", LargeBinary, nullable=False, index=True),
)

# Headers of events that are not ours to see, as far as a cut needs them to tell what lies before it.
skeleton = Table(
    "skeleton",
    metadata,
    Column("n", _Number, primary_key=True, autoincrement=False),
    Column("id", LargeBinary, nullable=False, unique=True),
    Column("log", LargeBinary, nullable=False, index=True),
    Column("seq", BigInteger, nullable=False),
    Column("header", LargeBinary, nullable=False),
)

scope = Table(
    "scope",
    metadata,
    Column("unit", Text, primary_key=True),
    Column("n", BigInteger, nullable=False),
    Column("digest", LargeBinary, nullable=False),
)

feed = Table(
    "feed",
    metadata,
    Column("unit", Text, primary_key=True),
    Column("n", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", SmallInteger, nullable=False),  # 0: an event, 1: acks, 2: a header, 3: a statement
    Column("ref", _Number, nullable=False),
    Column("source", _Number, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    UniqueConstraint("unit", "kind", "ref", name="feed_once"),
)

acks = Table(
    "acks",
    metadata,
    Column("n", _Number, primary_key=True, autoincrement=False),
    Column("hash", LargeBinary, nullable=False, unique=True),
    Column("node", LargeBinary, nullable=False),
    Column("unit", Text, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("about", SmallInteger, nullable=False),  # 0: logs and events, 1: attachments
    Column("data", LargeBinary, nullable=False),
)

statement = Table(
    "statement",
    metadata,
    Column("n", _Number, primary_key=True, autoincrement=False),
    Column("hash", LargeBinary, nullable=False, unique=True),
    Column("key", LargeBinary, nullable=False),  # of the machine that signed it
    Column("unit", Text, nullable=False),
    Column("epoch", LargeBinary, nullable=False),
    Column("k", BigInteger, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("came_ms", BigInteger, nullable=False),  # by our own clock
    Column("upto", BigInteger, nullable=False),  # where its author made it: how far of the feed it speaks
    Column("data", LargeBinary, nullable=False),
    Index("statement_number", "key", "epoch", "unit", "k"),
    Index("statement_unit", "unit", "n"),
)

# The newest statement of each log's head, by number: a later one never names less.
stated_head = Table(
    "stated_head",
    metadata,
    Column("key", LargeBinary, primary_key=True),
    Column("epoch", LargeBinary, primary_key=True),
    Column("log", LargeBinary, primary_key=True),
    Column("k", BigInteger, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("head", LargeBinary, nullable=False),
    Column("statement_n", _Number, nullable=False),
)

# What a statement names and what is not here: an event, or the statement before it.
omission = Table(
    "omission",
    metadata,
    Column("statement_n", _Number, primary_key=True, autoincrement=False),
    Column("wanted", LargeBinary, primary_key=True),
    Column("node", LargeBinary, nullable=False),  # parent whose feed brought the statement without it
    Column("since_ms", BigInteger, nullable=False),
    Column("told", SmallInteger, nullable=False),
)

finding = Table(
    "finding",
    metadata,
    Column("n", _Number, primary_key=True, autoincrement=False),
    Column("about", LargeBinary, nullable=False, unique=True),  # the same is found once
    Column("kind", Text, nullable=False),
    Column("key", LargeBinary, nullable=False),
    Column("unit", Text, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("papers", LargeBinary, nullable=False),
    Column("told", SmallInteger, nullable=False),
)

ack = Table(
    "ack",
    metadata,
    Column("node", LargeBinary, primary_key=True),
    Column("log_n", _Number, primary_key=True, autoincrement=False),
    Column("seq", BigInteger, nullable=False),
    Column("head", LargeBinary, nullable=False),
    Column("good", SmallInteger, nullable=False),  # our event at seq is the one that was acknowledged
    Column("after", BigInteger, nullable=False),  # statements on the unit that the node had made by then
    Column("paper", _Number, nullable=False),  # the acks that said so
    Column("proven", SmallInteger, nullable=False),  # the node was shown what proves the log's authority
    # The node has more than we do: what it acknowledged beyond our chain, until that is here as well.
    Column("ahead", BigInteger, nullable=False, default=-1),
    Column("ahead_head", LargeBinary, nullable=False, default=b""),
    Column("ahead_after", BigInteger, nullable=False, default=0),
    Column("ahead_paper", _Number, nullable=False, default=0),
)

# Acks of logs that are not here yet: a feed may bring them before the logs.
ack_early = Table(
    "ack_early",
    metadata,
    Column("node", LargeBinary, primary_key=True),
    Column("log", LargeBinary, primary_key=True),
    Column("seq", BigInteger, nullable=False),
    Column("head", LargeBinary, nullable=False),
    Column("after", BigInteger, nullable=False),
    Column("paper", _Number, nullable=False),
)

ack_event = Table(
    "ack_event",
    metadata,
    Column("node", LargeBinary, primary_key=True),
    Column("event_n", _Number, primary_key=True, autoincrement=False),
)

parent = Table(
    "parent",
    metadata,
    Column("name", Text, primary_key=True),
    Column("node", LargeBinary, nullable=False),
    Column("epoch", LargeBinary, nullable=False),
    Column("n", BigInteger, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("nonce", LargeBinary, nullable=False),
    Column("tried_ms", BigInteger, nullable=False),
    Column("ok_ms", BigInteger, nullable=False),
    Column("error", Text, nullable=False),
    # What it signed when it gave the cursor: proof, should it know the cursor no more.
    Column("answer", LargeBinary, nullable=False),
)

node_epoch = Table(
    "node_epoch",
    metadata,
    Column("node", LargeBinary, primary_key=True),
    Column("epoch", LargeBinary, primary_key=True),
    Column("current", SmallInteger, nullable=False),
    Column("key", LargeBinary, nullable=False, index=True),
    # What first showed the epoch, as it was signed.
    Column("kind", Text, nullable=False),
    Column("data", LargeBinary, nullable=False),
)

peer = Table(
    "peer",
    metadata,
    Column("machine", LargeBinary, primary_key=True),
    Column("nonce", LargeBinary, nullable=False),
    Column("seen_ms", BigInteger, nullable=False),
    # The last request that was taken: its nonce and digest tell a machine that did not get the answer.
    Column("before", LargeBinary, nullable=False, default=b""),
    Column("taken", LargeBinary, nullable=False, default=b""),
)

# What a line to a parent does, so that a restart need not find it out again.
line = Table(
    "line",
    metadata,
    Column("name", Text, primary_key=True),
    Column("budget", BigInteger, nullable=False),  # bytes of events in one request
    Column("rate", BigInteger, nullable=False),  # bytes a second, both ways
)

# One-time codes of enrolment. What a code is cannot be had from here: its keys are sealed (`codes`).
enrol_code = Table(
    "enrol_code",
    metadata,
    Column("selector", Text, primary_key=True),
    Column("keys", LargeBinary, nullable=False),
    Column("allows", LargeBinary, nullable=False),  # what it allows: unit, machine, officers
    Column("made_ms", BigInteger, nullable=False),
    Column("until_ms", BigInteger, nullable=False),
    Column("wrong", SmallInteger, nullable=False),  # tries that did not know the secret
    Column("machine", LargeBinary, nullable=False),  # key of the one machine that has used it
    Column("packet", LargeBinary, nullable=False),  # proven, and waiting for an administrator
)

counter = Table(
    "counter",
    metadata,
    Column("name", Text, primary_key=True),
    Column("day", Text, primary_key=True),
    Column("value", BigInteger, nullable=False),
)

notice = Table(
    "notice",
    metadata,
    Column("n", _Number, primary_key=True, autoincrement=False),
    Column("doc_n", _Number, nullable=False),
    Column("event_n", _Number, nullable=False),
    Column("before", Text, nullable=False),
    Column("after", Text, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("seen", SmallInteger, nullable=False, index=True),
)

# ---- attachments: what documents name, the chunks that it is made of, and who has it

content = Table(
    "content",
    metadata,
    Column("n", _Number, primary_key=True, autoincrement=False),
    Column("id", LargeBinary, nullable=False, unique=True),
    Column("size", BigInteger, nullable=False),  # of the file, as its index says; -1 while that is not here
    Column("complete", SmallInteger, nullable=False),  # all of it is here, and verified
    Column("wanted", SmallInteger, nullable=False),  # somebody here, or below, asked for it
    Column("at_ms", BigInteger, nullable=False),  # when it was named or completed here
    Column("sent", Integer, nullable=False),  # chunks that a parent has, as it said last
    Column("said", LargeBinary, nullable=False),  # our log under which we confirmed it; empty: not yet
    _partial("content_wanted", "n", where=_IS_WANTED),
)

# Each chunk of each content; equal chunks are stored once, and the index itself beside them.
piece = Table(
    "piece",
    metadata,
    Column("content_n", _Number, primary_key=True, autoincrement=False),
    Column("place", Integer, primary_key=True, autoincrement=False),
    Column("hash", LargeBinary, nullable=False, index=True),
)

chunk = Table(
    "chunk",
    metadata,
    Column("hash", LargeBinary, primary_key=True),
    Column("data", LargeBinary, nullable=False),
)

# Which events name it: whoever may have one of them may have the content, and nobody else.
naming = Table(
    "naming",
    metadata,
    Column("content_n", _Number, primary_key=True, autoincrement=False),
    Column("event_n", _Number, primary_key=True, autoincrement=False),
    Index("naming_event", "event_n"),
)

content_ack = Table(
    "content_ack",
    metadata,
    Column("node", LargeBinary, primary_key=True),
    Column("content_n", _Number, primary_key=True, autoincrement=False),
)

# ---- snapshots: finished documents without their past

snapshot = Table(
    "snapshot",
    metadata,
    Column("n", _Number, primary_key=True, autoincrement=False),  # a place: in the order of commit, no gaps
    Column("hash", LargeBinary, nullable=False, unique=True),
    Column("key", LargeBinary, nullable=False),  # of the machine that signed it
    Column("node", LargeBinary, nullable=False),
    Column("unit", Text, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("data", LargeBinary, nullable=False),
    Index("snapshot_unit", "unit", "n"),
)

# Documents of which a snapshot holds the summary. At a server the events are here as well, and the row goes
# when the document changes; at a new machine it goes when they have come.
summary = Table(
    "summary",
    metadata,
    Column("doc_n", _Number, primary_key=True, autoincrement=False),
    Column("snapshot_n", _Number, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Column("made", Text, nullable=False),  # by which versions of type and projection
    Column("held", SmallInteger, nullable=False),  # the events are here
    Column("wanted", SmallInteger, nullable=False),  # 0: some day, 1: now; 2: a parent did not give them
    Index("summary_snapshot", "snapshot_n"),
    _partial("summary_here", "doc_n", where=_IS_SUMMARY),
)
is_summary: ColumnElement[bool] = summary.c.held == literal_column("0", Integer())

# Where the province's statement says that a log has no gap, although its events are not all here.
base = Table(
    "base",
    metadata,
    Column("log_n", _Number, primary_key=True, autoincrement=False),
    Column("seq", BigInteger, nullable=False),
    Column("head", LargeBinary, nullable=False),
)

# How far a machine has got with a parent's snapshots: while it begins from them, or mirrors them.
place = Table(
    "place",
    metadata,
    Column("name", Text, primary_key=True),
    Column("n", BigInteger, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Column("upto", BigInteger, nullable=False),  # the newest statement here when it had them all
)
