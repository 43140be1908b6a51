"""The rule of marks as a Spark expression: which changes a snapshot sees."""

from pyspark.sql import Column
from pyspark.sql import functions as F

from tidemark_contract.visibility import XID_SPAN, Snapshot


def widened(xid: Column, near: int) -> Column:
    """Give the 64-bit id of a 32-bit one; the same rule as `tidemark_contract.visibility.widen`."""
    half = XID_SPAN // 2
    return F.lit(near) + F.pmod(xid - F.lit(near) + F.lit(half), F.lit(XID_SPAN)) - F.lit(half)


def seen(xid: Column, snapshot: Snapshot) -> Column:
    """Tell whether the snapshot sees the transaction."""
    wide = widened(xid, snapshot.xmax)
    settled = wide < F.lit(snapshot.xmin)
    not_running = ~wide.isin(sorted(snapshot.running)) if snapshot.running else F.lit(True)
    return settled | ((wide < F.lit(snapshot.xmax)) & not_running)
