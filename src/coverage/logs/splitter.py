"""The text of a block → its columns: as text, or as what the splitter can read itself."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.csv as pacsv

from coverage.errors import FileRefused
from coverage.logs.cells import PLAIN_TYPES, is_plain
from coverage.logs.detect import Layout


@dataclass(frozen=True)
class Splitter:
    """Takes the text of a block apart, at once or a column by itself."""

    body: bytes
    layout: Layout
    file: str

    def columns(self, places: dict[str, int]) -> tuple[dict[int, str], pa.Table]:
        """Ragged rows (index → "fields found/needed"), and the other rows in columns f0, f1, …, by field → position.

        As text, but for those of `Layout.plain` where the splitter can read all of their cells.
        """
        plain = self.layout.plain or {}
        types = {f"f{at}": PLAIN_TYPES.get(plain.get(field, "")) for field, at in places.items()}
        if any(types.values()):
            ragged: dict[int, str] = {}
            with suppress(pa.ArrowInvalid):  # in this block they are not all plain
                table = self._table({name: type_ or pa.string() for name, type_ in types.items()}, ragged)
                if all(map(is_plain, table.columns)):
                    return ragged, table
        ragged = {}
        try:
            return ragged, self._table(dict.fromkeys(types, pa.string()), ragged)
        except pa.ArrowInvalid as fault:
            raise FileRefused(
                f"{self.file}: không tách được các cột ({fault}). Hãy lưu lại thành CSV.",
                f"{self.file}: its columns cannot be taken apart ({fault}). Save it as CSV again.",
            ) from fault

    def texts(self, at: int) -> pa.ChunkedArray:
        """The column at a position as text, ragged rows left out."""
        return self._table({f"f{at}": pa.string()}, {}).column(0)

    def _table(self, types: dict[str, pa.DataType], ragged: dict[int, str]) -> pa.Table:
        if not self.body:
            return pa.table({name: pa.array([], type_) for name, type_ in types.items()})

        def skip(row: pacsv.InvalidRow) -> str:
            ragged[row.number - 1] = f"{row.actual_columns}/{row.expected_columns}"
            return "skip"

        # One thread: only then does Arrow tell the number of a ragged row.
        return pacsv.read_csv(
            pa.BufferReader(self.body),
            read_options=pacsv.ReadOptions(
                use_threads=False,
                column_names=[f"f{at}" for at in range(self.layout.width)],
                block_size=len(self.body),
            ),
            parse_options=pacsv.ParseOptions(
                delimiter=self.layout.delimiter,
                invalid_row_handler=skip,
                ignore_empty_lines=False,
                newlines_in_values=False,
            ),
            convert_options=pacsv.ConvertOptions(
                column_types=types,
                include_columns=sorted(types),
                strings_can_be_null=False,
                null_values=[""],
                check_utf8=False,
            ),
        )
