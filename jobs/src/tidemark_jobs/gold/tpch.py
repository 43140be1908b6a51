"""Three marts of the TPC-H demo, as pure transforms. Source: TPC-H specification 3.0.1, queries 1, 3 and 5."""

from collections.abc import Mapping
from datetime import date

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

SHIPPED_BY = date(1998, 9, 2)  # Q1: 90 days before 1998-12-01
SEGMENT, ON_DAY = "BUILDING", date(1995, 3, 15)  # Q3
REGION, FROM_DAY, TO_DAY = "ASIA", date(1994, 1, 1), date(1995, 1, 1)  # Q5


def _is(column: str, text: str) -> Column:
    """Compare a character(n) as PostgreSQL does, without the blanks that it is filled up with."""
    return F.rtrim(F.col(column)) == F.lit(text)


def _discounted() -> Column:
    return F.col("l_extendedprice") * (F.lit(1) - F.col("l_discount"))


def pricing_summary(tables: Mapping[str, DataFrame]) -> DataFrame:
    """Q1: sums and averages of what was shipped, by return flag and line status."""
    shipped = tables["lineitem"].where(F.col("l_shipdate") <= F.lit(SHIPPED_BY))
    return (
        shipped.groupBy("l_returnflag", "l_linestatus")
        .agg(
            F.sum("l_quantity").alias("sum_qty"),
            F.sum("l_extendedprice").alias("sum_base_price"),
            F.sum(_discounted()).alias("sum_disc_price"),
            F.sum(_discounted() * (F.lit(1) + F.col("l_tax"))).alias("sum_charge"),
            F.avg("l_quantity").alias("avg_qty"),
            F.avg("l_extendedprice").alias("avg_price"),
            F.avg("l_discount").alias("avg_disc"),
            F.count("*").alias("count_order"),
        )
        .orderBy("l_returnflag", "l_linestatus")
    )


def shipping_priority(tables: Mapping[str, DataFrame]) -> DataFrame:
    """Q3: the ten unshipped orders with the highest revenue."""
    customers = tables["customer"].where(_is("c_mktsegment", SEGMENT))
    orders = tables["orders"].where(F.col("o_orderdate") < F.lit(ON_DAY))
    unshipped = tables["lineitem"].where(F.col("l_shipdate") > F.lit(ON_DAY))
    return (
        customers.join(orders, F.col("c_custkey") == F.col("o_custkey"), how="inner")
        .join(unshipped, F.col("l_orderkey") == F.col("o_orderkey"), how="inner")
        .groupBy("l_orderkey", "o_orderdate", "o_shippriority")
        .agg(F.sum(_discounted()).alias("revenue"))
        .orderBy(F.desc("revenue"), "o_orderdate", "l_orderkey")
        .limit(10)
        .select("l_orderkey", "revenue", "o_orderdate", "o_shippriority")
    )


def local_supplier_volume(tables: Mapping[str, DataFrame]) -> DataFrame:
    """Q5: revenue of a year through suppliers of the customer's own nation, by nation of one region."""
    orders = tables["orders"].where((F.col("o_orderdate") >= F.lit(FROM_DAY)) & (F.col("o_orderdate") < F.lit(TO_DAY)))
    nations = tables["nation"].join(
        tables["region"].where(_is("r_name", REGION)),
        F.col("n_regionkey") == F.col("r_regionkey"),
        how="inner",
    )
    local = (F.col("l_suppkey") == F.col("s_suppkey")) & (F.col("c_nationkey") == F.col("s_nationkey"))
    return (
        tables["customer"]
        .join(orders, F.col("c_custkey") == F.col("o_custkey"), how="inner")
        .join(tables["lineitem"], F.col("l_orderkey") == F.col("o_orderkey"), how="inner")
        .join(tables["supplier"], local, how="inner")
        .join(nations, F.col("s_nationkey") == F.col("n_nationkey"), how="inner")
        .groupBy("n_name")
        .agg(F.sum(_discounted()).alias("revenue"))
        .orderBy(F.desc("revenue"), "n_name")
    )
