"""Counts the requests in the log of a web server: how many there were for a page, how slow, and how many failed."""

import io

import pandas as pd

LOG = """\
path,status,milliseconds
/,200,12
/search,200,140
/,200,9
/search,500,3000
/about,200,7
/search,200,160
/,304,1
"""


def tally(log: str) -> pd.DataFrame:
    """Return a row for each page, the slowest first."""
    requests = pd.read_csv(io.StringIO(log))
    requests["failed"] = requests["status"] >= 500
    return (
        requests.groupby("path")
        .agg(requests=("path", "size"), median=("milliseconds", "median"), failed=("failed", "sum"))
        .sort_values("median", ascending=False)
    )


if __name__ == "__main__":
    print(tally(LOG).to_string())
