"""Explanations of rows that cannot be read: the bad token, its place, and what helps.

Only bad rows come here, so they may be looked at one by one. A batch of bad files repeats itself:
the cause of a text is found once, and rows beyond those that are listed are only counted.
"""

from math import isnan

import numpy as np
from msgspec import Struct

from labelingest.columns.types import Bool, Int64
from labelingest.model.ontology import LARGEST_CLASS_NUMBER
from labelingest.model.source_labels import column_at
from labelingest.model.units import DataUnits
from labelingest.problems import Problem, ProblemCode
from labelingest.problems.of_batch import BatchProblems
from labelingest.readers.yolo.layouts import RowCut
from labelingest.readers.yolo.numbers import NOT_FINITE, OK, number_from_text
from labelingest.readers.yolo.sheet import Sheet, is_class_number

__all__ = ["RowExplainer", "class_tokens"]

_LONGEST_EXCERPT = 40
"""Characters of a token that a message shows: more than any number has."""


def class_tokens(sheet: Sheet, cut: RowCut) -> Int64:
    """Return (r,) the token of each row's class number; the first one of a row that does not fit.

    A row with another number of columns than its layout has may lack the class number.
    """
    if not cut.class_column:
        return sheet.rows.first
    return sheet.rows.first + np.where(cut.fits, cut.class_column, 0)


class RowExplainer(Struct, frozen=True, eq=False):
    """Problems of rows, each at its token."""

    sheet: Sheet
    """The rows."""
    cut: RowCut
    """The layout."""
    units: DataUnits
    """(u,) data units of the rows; they name the sidecars."""
    problems: BatchProblems
    """Container of the problems."""

    def reject_unreadable(self, rows: Int64) -> None:
        """Reject rows without a class number, or with a token that is no finite number.

        Parameters
        ----------
        rows
            (n,) positions of the rows.
        """
        rows = self.problems.rows_to_note(rows)
        if not len(rows):
            return
        token, is_class = self._first_bad_tokens(rows)
        codes: dict[tuple[bool, bytes], ProblemCode] = {}
        columns = (rows, self.sheet.rows.unit[rows], token, is_class)
        for row, unit, bad, in_class in zip(*(c.tolist() for c in columns), strict=True):
            key = in_class, self._bytes(bad)
            if key not in codes:
                codes[key] = self._describe(bad, in_class)[0]
            if self.problems.has_room(unit, codes[key]):
                self.problems.reject(unit, self._unreadable(row))
            else:
                self.problems.count_rejected(unit, codes[key])

    def reject_misfits(self, rows: Int64) -> None:
        """Reject rows with a number of columns that their layout does not allow.

        Parameters
        ----------
        rows
            (n,) positions of the rows.
        """
        rows, code = self.problems.rows_to_note(rows), self.cut.misfit
        for row, unit in zip(rows.tolist(), self.sheet.rows.unit[rows].tolist(), strict=True):
            if self.problems.has_room(unit, code):
                self.problems.reject(unit, self._misfit(row))
            else:
                self.problems.count_rejected(unit, code)

    def reject_contradictions(self, rows: Int64, column: Int64, cause: str) -> None:
        """Reject rows whose numbers contradict the layout that was decided for all rows.

        Parameters
        ----------
        rows, column
            (m,) positions of the rows, and position in each of the number that contradicts.
        cause
            What the rows have that the layout has not, without the end of the sentence.
        """
        code = self.cut.misfit
        token = self.sheet.rows.first[rows] + column
        detail = f"{cause}; {self.cut.expected}"
        unit_of = self.sheet.rows.unit
        noted = self.problems.rows_to_note(rows)
        for row, number in zip(noted.tolist(), token.tolist(), strict=False):
            unit = int(unit_of[row])
            if self.problems.has_room(unit, code):
                self.problems.reject(unit, self._problem(row, number, code, detail))
            else:
                self.problems.count_rejected(unit, code)

    def _first_bad_tokens(self, rows: Int64) -> tuple[Int64, Bool]:
        """Return (n,) the first bad token of each row, and whether it is the class number.

        A bad token is the first NaN behind the row's start, or a class number that is none.
        """
        beyond = len(self.sheet.values)
        nan = np.append(np.flatnonzero(np.isnan(self.sheet.values)), beyond)
        token = nan[np.searchsorted(nan, self.sheet.rows.first[rows])]
        class_token = class_tokens(self.sheet, self.cut)[rows]
        is_none = ~is_class_number(self.sheet.values[class_token]) & self._has_class(rows)
        token = np.minimum(token, np.where(is_none, class_token, beyond))
        return token, is_none & (token == class_token)

    def _has_class(self, rows: Int64) -> Bool:
        """Return (n,) whether the place of the class number is known in each row."""
        return self.cut.fits[rows] | (self.cut.class_column == 0)

    def _unreadable(self, row: int) -> Problem:
        """Return the problem of the first bad token of a row."""
        first, count = int(self.sheet.rows.first[row]), int(self.sheet.rows.count[row])
        values = self.sheet.values[first : first + count]
        is_bad = np.isnan(values)
        column = -1
        if self._has_class(np.array([row]))[0]:
            column = self.cut.class_column
            is_bad[column] = not is_class_number(values[column : column + 1])[0]
        bad = first + np.flatnonzero(is_bad)
        token = int(bad[0])
        code, detail = self._describe(token, token == first + column)
        if len(bad) > 1:
            detail += f" (and {len(bad) - 1} more in this row)"
        return self._problem(row, token, code, detail)

    def _misfit(self, row: int) -> Problem:
        first, count = int(self.sheet.rows.first[row]), int(self.sheet.rows.count[row])
        detail = f"{count} column{'' if count == 1 else 's'}; {self.cut.expected}"
        return self._problem(row, first, self.cut.misfit, detail)

    def _problem(self, row: int, token: int, code: ProblemCode, detail: str) -> Problem:
        """Return a problem at a token."""
        unit = int(self.sheet.rows.unit[row])
        column = column_at(self.sheet.blobs, unit, int(self.sheet.tokens.start[token]))
        line = int(self.sheet.rows.line[row])
        return Problem(code, self.units.sidecar[unit], detail, line=line, column=column)

    def _describe(self, token: int, is_class: bool) -> tuple[ProblemCode, str]:
        text = self._excerpt(token)
        is_finite = self._status(token) != NOT_FINITE
        if is_class and "," not in text and ";" not in text:
            return ProblemCode.BAD_CLASS_NUMBER, self._class_detail(token, text, is_finite)
        if is_finite:
            return ProblemCode.NOT_A_NUMBER, f"{text!r} is not a number{_number_hint(text)}"
        return ProblemCode.NOT_FINITE, f"{text!r} is not a finite number"

    def _class_detail(self, token: int, text: str, is_finite: bool) -> str:
        hint = "a class number is 0, 1, 2, …"
        if self.sheet.values[token] > LARGEST_CLASS_NUMBER:
            hint += f", at most {LARGEST_CLASS_NUMBER}"
        elif text[:1].isalpha() and is_finite:
            place = "end" if self.cut.class_column else "begin"
            hint = f"a name? rows {place} with the class number: 0, 1, 2, …"
        return f"{text!r} is not a class number: {hint}"

    def _status(self, token: int) -> int:
        value, status = number_from_text(self._bytes(token))
        return status if isnan(value) else OK

    def _excerpt(self, token: int) -> str:
        """Return the token as written, shortened for a sentence."""
        start, end = int(self.sheet.tokens.start[token]), int(self.sheet.tokens.end[token])
        # A character of UTF-8 has four bytes at most.
        excerpt = self.sheet.blobs.buffer[start : min(end, start + 4 * _LONGEST_EXCERPT)]
        text = excerpt.tobytes().decode("utf-8", "ignore")
        is_complete = end - start <= _LONGEST_EXCERPT and len(text) <= _LONGEST_EXCERPT
        return text if is_complete else f"{text[:_LONGEST_EXCERPT]}…"

    def _bytes(self, token: int) -> bytes:
        start, end = int(self.sheet.tokens.start[token]), int(self.sheet.tokens.end[token])
        return self.sheet.blobs.buffer[start:end].tobytes()


def _number_hint(text: str) -> str:
    if "," in text or ";" in text:
        return ": comma separated? YOLO separates by blanks"
    return ": a comment needs a line of its own" if text.startswith("#") else ""
