import pytest

from tidemark_contract.errors import SettingsError
from tidemark_streaming.source_url import SourceUrl


def test_a_url_becomes_the_connectors_options_and_a_password() -> None:
    parsed = SourceUrl.parse(
        "postgresql://capture:p%40ss@db.example:6432/sh%20op?sslmode=verify-full&sslrootcert=/ca.pem"
    )

    assert "p@ss" == parsed.password
    assert {
        "host": "db.example",
        "port": "6432",
        "user": "capture",
        "database": "sh op",
        "ssl.mode": "verify-full",
        "ssl.root.cert": "/ca.pem",
    } == parsed.options


def test_what_a_url_leaves_out_is_as_in_libpq() -> None:
    parsed = SourceUrl.parse("postgres://capture@")

    assert {"host": "localhost", "port": "5432", "user": "capture", "database": "capture"} == parsed.options
    assert "" == parsed.password


def test_libpqs_options_may_name_what_the_front_does_not() -> None:
    parsed = SourceUrl.parse("postgresql:///shop?host=::1&port=5433&user=capture&password=p+q&connect_timeout=3")

    assert ("::1", "5433", "capture", "p+q") == (
        parsed.options["host"], parsed.options["port"], parsed.options["user"], parsed.password
    )  # fmt: skip


@pytest.mark.parametrize("password", ["a#b", "a?b", "a[b", "a]b", "a[b]c", "a:b", "a=b&c", "\u2100", "a b"])
def test_a_password_may_hold_what_libpq_takes_as_it_is(password: str) -> None:
    parsed = SourceUrl.parse(f"postgresql://capture:{password}@db.example:6432/shop?sslmode=require")

    assert password == parsed.password
    assert ("capture", "db.example", "6432", "shop", "require") == tuple(
        parsed.options[name] for name in ("user", "host", "port", "database", "ssl.mode")
    )


def test_an_address_of_ipv6_loses_its_brackets() -> None:
    assert "::1" == SourceUrl.parse("postgresql://capture@[::1]:5432/shop").options["host"]


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("mysql://capture:s3cret@h/shop", "postgresql://"),
        ("postgresql://:s3cret@h/shop", "no role"),
        ("postgresql://capture:s3cret@a,b/shop", "several hosts"),
        ("postgresql://capture:s3cret@h:port/shop", "no number"),
        ("postgresql://capture:s3cret@h/shop?port=port", "no number"),
        ("postgresql://capture:s3cret@[::1/shop", "no host"),
        ("postgresql://capture:a/[s3cret]@h/shop", "%2F"),
        ("postgresql://capture:s3cret@%2Frun%2Fpostgresql/shop", "socket"),
        ("postgresql://capture:s3cret@/shop?host=/run/postgresql", "socket"),
        ("postgresql://capture:s3cret@h/shop?sslcert=/me.pem", "sslcert"),
    ],
)
def test_what_the_stream_cannot_do_is_refused_without_showing_the_url(url: str, problem: str) -> None:
    with pytest.raises(SettingsError, match=problem) as caught:
        SourceUrl.parse(url)

    assert "s3cret" not in str(caught.value)


def test_the_password_is_in_no_printed_form() -> None:
    assert "s3cret" not in repr(SourceUrl.parse("postgresql://capture:s3cret@h/shop"))
