"""Every type that the contract is about, with values at its edges, as PostgreSQL reads them.

A column is called as its type is: numeric(12,2), "char" and types.mood[] are odd names as well.
"""

BIG = "".join(chr(33 + n * n % 90) for n in range(30_000))  # stored out of line: it does not compress below 2 kB
INSTANTS = (
    "4714-11-24 00:00:00 BC",
    "0044-03-15 12:00:00 BC",
    "0001-01-01 00:00:00",
    "1582-10-10 01:02:03.000001",  # a day that Spark's old calendar does not have
    "1969-12-31 23:59:59.999999",
    "2026-01-02 03:04:05.6",
    "9999-12-31 23:59:59.999999",
    "10000-01-01 00:00:00",
    "294276-12-31 23:59:59.999999",
    "infinity",
    "-infinity",
)
TEXTS = (
    "",
    " ",
    "\\",
    "\\N",
    "\\.",
    "tab\there",
    "line\nbreaks\r\n",
    "\b\f\v\x01\x7f",
    "trailing   ",
    "\U0010ffff",
    "e\u0301 \ufeff \u2028",
    'it\'s "quoted", {in} (a) [list]',
    "NULL",
    "~",
    BIG,
)
FLOATS = ("NaN", "Infinity", "-Infinity", "-0", "0", "0.1", "1e15", "1e16", "123456.7", "1e-5")

NUMBERS = {
    "smallint": ("-32768", "32767"),
    "integer": ("-2147483648", "2147483647"),
    "bigint": ("-9223372036854775808", "9223372036854775807"),
    "numeric(12,2)": ("0", "-0.01", "9999999999.99", "NaN"),
    "numeric(38,10)": ("9" * 28 + ".0000000001", "-1e-10", "NaN"),
    "numeric(38,38)": ("1e-38", "-0.1", "0"),
    "numeric(39,0)": ("9" * 39, "-1"),
    "numeric(5,-2)": ("1234567", "-49", "50"),
    "numeric(2,5)": ("0.00099", "-0.00001"),
    "numeric": ("1" * 1000, "-1e-1000", "1.50", "1.5", "0.000", "NaN", "Infinity", "-Infinity"),
    "real": (*FLOATS, "1e-45", "1.1754944e-38", "3.4028235e38"),
    "double precision": (*FLOATS, "5e-324", "2.2250738585072014e-308", "1.7976931348623157e308"),
    "boolean": ("true", "false"),
    "money": ("1234567.89", "-1000.50", "-92233720368547758.08", "0"),
    "oid": ("0", "4294967295"),
}
STRINGS = {
    "text": TEXTS,
    "character varying(40)": tuple(text for text in TEXTS if len(text) < 40),
    "character(5)": ("", "ab", "ab   ", "\t\\\n", "éé"),
    '"char"': ("x", "", "\\377"),
    "name": ("a name", ""),
    "uuid": ("00000000-0000-0000-0000-000000000000", "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11"),
    "bytea": ("\\x", "\\x00ff5c0a09", "\\x" + BIG.encode().hex()),
    "json": ('{"a": 1, "a":  2, "b": "\\u0000\\n"}', " [1 ,2]\n", "null"),
    "jsonb": ('{"b": 1, "a": [null, 1e400]}', '"\\\\"', "null"),
    "jsonpath": ('$."a"[*] ? (@ > 1)',),
    "xml": ('<?xml version="1.0"?><a b="1">t</a>', "text &amp; <b/>\n", "<!-- \\ -->"),
    "tsvector": ("'it''s':1A 'b':2,3", "a\\\\b"),
    "tsquery": ("'a b' & !c:*",),
}
TIMES = {
    "date": (*(text.split(" ")[0] + " BC" * text.endswith("BC") for text in INSTANTS), "5874897-12-31"),
    "time without time zone": ("24:00:00", "00:00", "23:59:59.999999"),
    "time(0) without time zone": ("12:00:00.5",),
    "time with time zone": ("12:00:00.5-03:30:15", "24:00:00+15:59:59"),
    "timestamp without time zone": INSTANTS,
    "timestamp(3) without time zone": ("2026-01-02 03:04:05.678901",),
    "timestamp with time zone": (*INSTANTS, "1883-11-18 12:03:58.1-04:56:02"),
    "timestamp(0) with time zone": ("2026-03-29 02:30:00.5+01",),
    "interval": (
        "1 year 2 mons 3 days 04:05:06.789",
        "-1 year -2 mons +3 days -04:05:06.000001",
        "178000000 years",
        "0",
        "-00:00:00.000001",
    ),
    "interval day to second(3)": ("3 days 04:05:06.7891",),
}
MADE_OF_OTHERS = {
    "integer[]": ("{}", "{1,NULL,3}", "{{1,2},{3,NULL}}", "[0:2]={1,2,3}", "[-1:0][2:3]={{1,2},{3,4}}"),
    "text[]": ("{}", '{"a,b",NULL,"NULL","\\"","\\\\",""," x ","\t\n"}', '{{"{}"},{"\U0010ffff"}}'),
    "numeric[]": ("{NaN,Infinity,1.50}",),
    "bytea[]": ('{"\\\\x00ff",NULL}',),
    "timestamp with time zone[]": ('{infinity,"2026-01-02 03:04:05+05:45"}',),
    "types.mood": ("so, so", "it's", "a\tb"),
    "types.mood[]": ('{"so, so",NULL}',),
    "types.pair": ("(1,)", "(,)", '(2,"a ""b\\\\, (")'),
    "types.pair[]": ('{"(1,\\"x y\\")",NULL}',),
    "types.whole": ("7",),
    "types.even": ("8",),
    "types.wholes": ("{1,2}", "{}"),
    "types.price": ("12.50", "NaN"),
    "types.pairs": ("(3,x)",),
    "int4range": ("[1,5]", "empty", "(,)"),
    "numrange": ("[1.50,Infinity)", "(,NaN]"),
    "daterange": ("[-infinity,infinity]", "[2026-01-01,2026-02-01)"),
    "tstzrange": ('["2026-01-02 03:04:05+05:45",)',),
    "types.words": ('["a,b","c""d")', '["\\\\",)'),
    "int8multirange": ("{}", "{[1,3),[5,9]}"),
    "nummultirange": ("{[1.0,2.00]}",),
}
SYSTEM = {
    "inet": ("10.0.0.1", "10.0.0.1/8", "::1/128", "2001:db8::/32"),
    "cidr": ("10.0.0.0/8", "::/0"),
    "macaddr": ("08:00:2b:01:02:03",),
    "macaddr8": ("08:00:2b:01:02:03:04:05",),
    "bit(3)": ("101",),
    "bit varying(8)": ("", "10"),
    "bit varying": ("1" * 100,),
    "pg_lsn": ("16/B374D848", "0/0"),
    "pg_snapshot": ("10:20:10,14",),
    "xid": ("4294967295",),
    "xid8": ("18446744073709551615",),
    "tid": ("(4294967295,65535)",),
    "regclass": ('"Odd Schema"."a""b"', "pg_class"),
    "regtype": ("types.mood", "timestamp with time zone"),
    "regrole": ("capture",),
    "int2vector": ("1 2",),
    "point": ("(1.5,-0)", "(NaN,Infinity)"),
    "line": ("{1,-2,3.5}",),
    "lseg": ("[(0,0),(1,1)]",),
    "box": ("(1,1),(0,0)",),
    "path": ("[(0,0),(1e-300,1)]", "((0,0),(1,1))"),
    "polygon": ("((0,0),(1,1),(2,0))",),
    "circle": ("<(0,0),1.1>",),
}
EXTENSIONS = {  # types that the contract has never heard of
    "types.citext": ("Straße", "\\N"),
    "types.hstore": ('"a"=>"1", "b"=>NULL, "c\\""=>"\\\\"', ""),
    "types.ltree": ("Top.Science", ""),
    "types.cube": ("(1.5,-0),(2,3)",),
    "types.seg": ("1.50 .. 2", "~5.00"),
}
TYPES = {**NUMBERS, **STRINGS, **TIMES, **MADE_OF_OTHERS, **SYSTEM, **EXTENSIONS}
Row = tuple[str | None, ...]


def rows() -> list[Row]:
    """Give rows in which every value of every type stands at least once; the first is all NULL."""
    longest = max(len(values) for values in TYPES.values())
    return [(None,) * len(TYPES), *(tuple(v[n % len(v)] for v in TYPES.values()) for n in range(longest))]
