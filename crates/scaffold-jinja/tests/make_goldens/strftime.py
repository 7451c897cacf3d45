"""Writes ../data/strftime.json: what Python's strftime says of moments at the corners of the calendar.

    python3 strftime.py

Needs Linux, whose C library has the flag `-`. First the format, then pairs of seconds since 1970 and text.
"""

import json
from datetime import datetime, timedelta, timezone
from pathlib import Path

FORMAT = "|".join(f"%{flag}{letter}" for letter in "aAbBcCdDeFgGHIjklmMpPrRSTuUVwWxXyY%" for flag in ("", "-"))

moments = [datetime(year, month, day, 23, 59, 59) for year in (1000, 1582, 1899, 1900, 1970, 1999, 2000, 2024, 2100, 9998)
           for month, day in ((1, 1), (1, 3), (2, 28), (12, 31))]
moments += [datetime(2000, 2, 29), datetime(2024, 2, 29, 12, 34, 56), datetime(1, 1, 1) + timedelta(days=364_878)]
moments += [datetime(year, 12, 28) + timedelta(days=day, hours=day) for year in range(2015, 2027) for day in range(0, 8, 2)]

pairs = [(int(moment.replace(tzinfo=timezone.utc).timestamp()), moment.strftime(FORMAT)) for moment in moments]
lines = ",\n".join(json.dumps(row) for row in [FORMAT, *pairs])
Path(__file__).parent.parent.joinpath("data/strftime.json").write_text(f"[{lines}]\n")
