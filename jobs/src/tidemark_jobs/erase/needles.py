"""Texts of keys, looked for wherever a text can stand."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from tidemark_contract.copytext import encode_row
from tidemark_contract.subjects import Subject
from tidemark_contract.types import Codec
from tidemark_jobs.erase.wanted import Wanted

TELLING = 8
"""Octets of a text that is hardly there by chance."""
_AT_ONCE = 200  # texts in one regular expression: the engine, RE2, runs through a text once for all of them


@dataclass(frozen=True)
class Needles:
    """The keys whose texts tell; as regular expressions."""

    patterns: tuple[str, ...] = field(repr=False)

    @classmethod
    def of(cls, wanted: Iterable[Wanted]) -> "Needles":
        """Take the texts of keys that are long enough, as columns have them, and as COPY and JSON write them."""
        subjects = [subject for one in wanted for subject in one.subjects]
        texts = {text for subject in subjects for text in _telling(subject) if len(text.encode()) >= TELLING}
        written = sorted({form for text in texts for form in _forms(text)})
        parts = [written[n : n + _AT_ONCE] for n in range(0, len(written), _AT_ONCE)]
        return cls(tuple("|".join(map(re.escape, part)) for part in parts))

    def are_in(self, texts: pa.Array) -> int:
        """Count the texts, or octets, that hold one."""
        found = [pc.match_substring_regex(texts, pattern) for pattern in self.patterns]
        if not found:
            return 0
        either = found[0]
        for more in found[1:]:
            either = pc.or_(either, more)
        return int(pc.sum(either).as_py() or 0)

    def in_rows(self, rows: pa.Table) -> int:
        """Count the texts in all columns that hold one."""
        return sum(self.are_in(texts) for column in rows.columns for chunk in column.chunks for texts in _texts(chunk))


def _telling(subject: Subject) -> Iterator[str]:
    """Of a key of several columns one alone may tell (an address), or may not (a date): those that are no texts."""
    texts = {column.name for column in subject.spec.columns if column.silver.codec is Codec.TEXT}
    for key in subject.keys:
        yield encode_row(key)
        if len(key) == 1:
            yield key[0]
        yield from (text for name, text in zip(subject.columns, key, strict=True) if name in texts)


def _forms(text: str) -> Iterator[str]:
    """A proof's details are JSON; a file's bounds are JSON in a line of JSON."""
    for form in (text, encode_row([text])):
        yield form
        for ascii_only in (True, False):
            once = json.dumps(form, ensure_ascii=ascii_only)[1:-1]
            yield from (once, json.dumps(once, ensure_ascii=ascii_only)[1:-1])


def _texts(values: Any) -> Iterator[Any]:
    """Give the texts in an array of any type."""
    kind = values.type
    if pa.types.is_dictionary(kind):
        yield from _texts(values.dictionary_decode())
    elif pa.types.is_map(kind):
        yield from _texts(values.keys)
        yield from _texts(values.items)
    elif pa.types.is_list(kind) or pa.types.is_large_list(kind):
        yield from _texts(values.flatten())
    elif pa.types.is_struct(kind):
        for child in values.flatten():
            yield from _texts(child)
    elif pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_binary(kind):
        yield values
