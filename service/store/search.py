"""Full-text search that reads `dat dai`, `Đất đai` and `đất-đai` alike.

What is indexed is the folded text: lower case, no diacritics, `đ` as `d`, words parted by single blanks.
SQLite has it in an FTS5 table, whose row ids are the `seq` of items. PostgreSQL has it as a tsvector that is
made of these very words, as its own parser would part others, and as a text in which words that must follow
each other are looked for: a tsvector knows the places of only the first 16,383 words, and 256 of each.
"""

import re
from collections.abc import Iterable, Sequence

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import TSQUERY

from nlp.text import fold, to_nfc
from service.store.dialect import is_postgresql

INDEXED_CHARS = 500_000  # of a text
_INDEXED_BYTES = 1_000_000  # a tsvector ends at one mebibyte
_WORD = re.compile(r"[^\W_]{1,400}")  # a lexeme of a tsvector ends at two kibibytes
_PART = re.compile(r'"([^"]*)"|([^\s"]+)')
_TO_FTS5 = "INSERT INTO item_search (rowid, words) VALUES (:seq, :words)"
_TO_TSVECTOR = (
    "INSERT INTO item_search (seq, words, folded) VALUES"
    " (:seq, array_to_tsvector(string_to_array(:words, ' ')), ' ' || :words || ' ')"
)

_search = sa.table(
    "item_search",
    sa.column("rowid", sa.BigInteger),
    sa.column("seq", sa.BigInteger),
    sa.column("words"),
    sa.column("folded", sa.Text),
)


def words_of(text: str) -> str:
    """The words of a text as they are indexed."""
    words = " ".join(_WORD.findall(fold(to_nfc(text[:INDEXED_CHARS]))))
    if words.isascii():
        return words
    return words.encode()[:_INDEXED_BYTES].decode(errors="ignore").rstrip()


def make_index(connection: sa.Connection) -> None:
    """Make the empty index; part of a migration."""
    if is_postgresql(connection):
        connection.exec_driver_sql(
            "CREATE TABLE item_search"
            " (seq BIGINT PRIMARY KEY, words TSVECTOR NOT NULL, folded TEXT NOT NULL)"
        )
        connection.exec_driver_sql(
            "CREATE INDEX ix_item_search_words ON item_search USING gin (words)"
        )
    else:
        connection.exec_driver_sql(
            "CREATE VIRTUAL TABLE item_search USING fts5(words, tokenize='unicode61 remove_diacritics 0')"
        )


def index_texts(connection: sa.Connection, texts: Iterable[tuple[int, str]]) -> None:
    """Index texts under the `seq` of their items, none of which is indexed yet."""
    rows = [{"seq": seq, "words": words_of(text)} for seq, text in texts]
    if rows:
        statement = _TO_TSVECTOR if is_postgresql(connection) else _TO_FTS5
        connection.execute(sa.text(statement), rows)


def unindex(connection: sa.Connection, seqs: Sequence[int]) -> None:
    """Take items out of the index."""
    key = _search.c.seq if is_postgresql(connection) else _search.c.rowid
    connection.execute(sa.delete(_search).where(key.in_(seqs)))


def purge_index(connection: sa.Connection) -> None:
    """Rewrite the index without what was taken out; an FTS5 index keeps the words until then."""
    if not is_postgresql(connection):
        connection.exec_driver_sql("INSERT INTO item_search(item_search) VALUES ('optimize')")


def matching(
    connection: sa.Connection, asked: str
) -> tuple[sa.FromClause, sa.ColumnElement[int]] | None:
    """The indexed items that hold every word asked for, to join with, and their `seq`.

    Words in double quotes, and parts of one word (`đất-đai`, `07-CT/TU`), must follow each other.
    None when nothing was asked for that an index could hold: then nothing is found.
    """
    parts = _PART.findall(to_nfc(asked))
    phrases = [words_of(quoted or plain) for quoted, plain in parts]
    phrases = [phrase for phrase in dict.fromkeys(phrases) if phrase]
    if not phrases:
        return None
    hits = _in_tsvectors(phrases) if is_postgresql(connection) else _in_fts5(phrases)
    found = hits.subquery("found")
    return found, found.c.seq


def _in_fts5(phrases: Sequence[str]) -> sa.Select[tuple[int]]:
    query = " AND ".join(f'"{phrase}"' for phrase in phrases)
    return sa.select(_search.c.rowid.label("seq")).where(_search.c.words.op("MATCH")(query))


def _in_tsvectors(phrases: Sequence[str]) -> sa.Select[tuple[int]]:
    words = dict.fromkeys(word for phrase in phrases for word in phrase.split())
    query = " & ".join(f"'{word}'" for word in words)
    has_words = _search.c.words.op("@@")(sa.cast(query, TSQUERY))
    rows = (_search.c.folded.contains(f" {phrase} ") for phrase in phrases if " " in phrase)
    return sa.select(_search.c.seq).where(has_words, *rows)
