"""Which texts are numbers, and which: as DuckDB's TRY_CAST reads them, said once for the engines that differ.

PostgreSQL 15 refuses the whole query where one text is no number; Spark takes `1d` and `2f` for numbers.
"""

from __future__ import annotations

_DIGITS = "[0-9](_?[0-9])*"
_SPACE = "[ \t\n\v\f\r]*"
FINITE = f"^{_SPACE}[+-]?({_DIGITS}([.]({_DIGITS})?)?|[.]{_DIGITS})([eE][+-]?{_DIGITS})?{_SPACE}$"
"""A number with digits; underscores may stand between them."""
PLAIN = r"^[+-]?[0-9]{1,255}([.][0-9]{0,50})?$"
"""A number that no engine can find too large or too small."""
INFINITE = f"^{_SPACE}[+-]?([iI][nN][fF]([iI][nN][iI][tT][yY])?|[nN][aA][nN]){_SPACE}$"
"""What stands for no finite number; such values count as given, and as no number."""
