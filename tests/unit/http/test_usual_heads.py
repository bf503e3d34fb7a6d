"""A head that is read here means to llhttp just what is read; what differs in anything is left to that."""

import random

import httptools
import pytest

from app.adapters.inbound.http.connection.usual_heads import NO_HEAD, UsualHead, known_again, read_usual_head

LINE = b"GET /search?starts_at=2021-03-26T20:00:00Z HTTP/1.1"
HOST = b"\r\nHost: x"
END = b"\r\n\r\n"
MOST = 12
NAMES = (
    *(
        b"Host",
        b"host",
        b"X-Request-ID",
        b"If-None-Match",
        b"traceparent",
        b"Accept",
        b"Accept-Encoding",
        b"Connection",
        b"Cookie",
        b"X!#$'*",
    ),
    *(
        b"Content-Length",
        b"Transfer-Encoding",
        b"Upgrade",
        b"Expect",
        b"X ",
        b" X",
        b"",
        b"X\xff",
        b"X\0",
        b"Origin",
        b"TE",
    ),
)
COLONS = (b": ", b":", b":\t", b": \t ", b" : ", b"", b"::")
VALUES = (
    *(
        b"x",
        b"",
        b"keep-alive",
        b"Keep-Alive",
        b"close",
        b"chunked",
        b"0",
        b"5",
        b"a b\tc",
        b'"tag"',
        b"\xff",
        b"\x7f",
        b"\0",
    ),
    *(b"a\rb", b"a\nb", b"a\r\n b", b"a\r\nHost: y", b"x \t", b"keep-alive, close", b"100-continue", b"*"),
)


class Read:
    """What llhttp makes of one request, by uvicorn's callbacks."""

    def __init__(self, data: bytes) -> None:
        self.fields: list[tuple[bytes, bytes]] = []
        self.completed = 0
        self.parser = httptools.HttpRequestParser(self)
        self.parser.feed_data(data)

    def on_header(self, name: bytes, value: bytes) -> None:
        self.fields.append((name.lower(), value.strip(b" \t")))

    def on_message_complete(self) -> None:
        self.completed += 1

    def values(self, name: bytes) -> list[bytes]:
        return [value for found, value in self.fields if found == name]


def a_head(chance: random.Random) -> bytes:
    """Make one of usual fields, mostly."""
    fields = [HOST]
    for _ in range(chance.randrange(5)):
        if chance.random() < 0.75:
            field = b"%b: %b" % (chance.choice(NAMES[2:10]), chance.choice(VALUES[:3]))
        else:
            field = chance.choice(NAMES) + chance.choice(COLONS) + chance.choice(VALUES)
        fields.insert(chance.randrange(len(fields) + 1), b"\r\n" + field)
    return b"".join(fields) + chance.choice((END, END, END, END, b"\r\n", b"\n\n", b"\r\n\r\nG", b""))


def test_what_is_read_means_the_same_to_llhttp() -> None:
    chance = random.Random(1)
    usual = 0
    for _ in range(8_000):
        fields = a_head(chance)
        remembered = read_usual_head(fields, MOST)
        if remembered is None:
            continue
        usual += 1

        read = Read(LINE + fields)

        assert read.completed == 1, fields
        assert (read.parser.get_method(), read.parser.get_http_version()) == (b"GET", "1.1")
        assert read.parser.should_keep_alive()
        assert not read.parser.should_upgrade()
        assert len(read.values(b"host")) == 1
        assert not read.values(b"content-length") + read.values(b"transfer-encoding") + read.values(b"expect")
        head = remembered.head
        assert [head.if_none_match or b""] == (read.values(b"if-none-match") or [b""])
        assert [head.traceparent or b""] == (read.values(b"traceparent") or [b""])
        assert [head.accept_encoding or b""] == (read.values(b"accept-encoding") or [b""])
        assert head.request_id is None or [head.request_id] == read.values(b"x-request-id")

    assert usual > 1_000


@pytest.mark.parametrize(
    "fields",
    [
        END,
        b"\r\nX: y" + END,
        HOST + b"\r\nhost: x" + END,
        HOST + b"\r\nX-Request-ID: a\r\nx-request-id: b" + END,
        HOST + b"\r\nIf-None-Match: *\r\nIf-None-Match: *" + END,
        HOST + b"\r\nAccept-Encoding: gzip\r\naccept-encoding: zstd" + END,
        HOST + b"\r\nContent-Length: 0" + END,
        HOST + b"\r\ncontent-length:5" + END,
        HOST + b"\r\nTransfer-Encoding: chunked" + END,
        HOST + b"\r\nTRANSFER-ENCODING: identity" + END,
        HOST + b"\r\nConnection: close" + END,
        HOST + b"\r\nConnection: keep-alive, close" + END,
        HOST + b"\r\nConnection: upgrade\r\nUpgrade: h2c" + END,
        HOST + b"\r\nProxy-Connection: close" + END,
        HOST + b"\r\nExpect: 100-continue" + END,
        HOST + b"\r\nOrigin: https://x.example" + END,
        HOST + b"\r\nX : y" + END,
        HOST + b"\r\nX: y\r\n z" + END,
        HOST + b"\r\n X: y" + END,
        HOST + b"\r\nX: a\rb" + END,
        HOST + b"\r\nX: a\nb" + END,
        HOST + b"\r\nX: a\0b" + END,
        HOST + b"\r\nX: \xff" + END,
        HOST + b"\r\nX" + END,
        HOST + b"\r\n: y" + END,
        HOST + b"\r\nX: y\n\n",
        HOST + END + b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        HOST + END + b"\r\n",
        HOST + b"\r\nX: y" * MOST + END,
    ],
)
def test_what_is_unusual_is_not_read_here(fields: bytes) -> None:
    assert read_usual_head(fields, MOST) is None


def test_fields_of_a_proxy_are_unusual_while_somebody_wants_to_hear_of_them() -> None:
    fields = HOST + b"\r\nX-Forwarded-For: 192.0.2.1" + END

    assert read_usual_head(fields, MOST) is not None
    assert read_usual_head(fields, MOST, hears_of_proxies=True) is None
    assert read_usual_head(HOST + END, MOST, hears_of_proxies=True) is not None


@pytest.mark.parametrize(
    "own", [b"", b"\r\nX-Request-ID: abc-1", b"\r\nx-request-id:\tabc-1 ", b"\r\nX-Request-ID: a b"]
)
def test_a_head_that_is_known_again_means_what_it_would_if_it_were_read(own: bytes) -> None:
    """Each byte of a remembered head is changed, left out and doubled: it is known again only if it means just that."""
    fields = b"\r\nAccept: */*" + own + HOST + b'\r\nIf-None-Match: "1"' + END
    remembered = read_usual_head(fields, MOST)
    assert remembered is not None
    known = 0
    for at in range(len(fields)):
        for byte in (b"", b"x", b"\r", b"\n", b" ", b":", b"\r\n", fields[at : at + 1] * 2):
            changed = fields[:at] + byte + fields[at + 1 :]

            found = known_again(LINE + changed, len(LINE), remembered)

            if found is not None:
                read = read_usual_head(changed, MOST)
                assert read is not None, changed
                assert read.head == found
                known += changed != fields

    assert known_again(LINE + fields, len(LINE), remembered) == remembered.head
    assert (known > 0) == (remembered.head.request_id is not None)


def test_a_new_id_alone_makes_no_other_head() -> None:
    fields = HOST + b"\r\nX-Request-ID: %b\r\nAccept: */*" + END
    remembered = read_usual_head(fields % b"first", MOST)

    def again(request_id: bytes) -> UsualHead | None:
        return known_again(LINE + fields % request_id, len(LINE), remembered or NO_HEAD)

    assert again(b"the-second") == UsualHead(b"the-second")
    for improper in (b"", b"a b", b"\xff", b"a\r\nHost: y", b"a" * 129):
        assert again(improper) is None


def test_nothing_is_known_before_something_was_read() -> None:
    assert known_again(LINE + HOST + END, len(LINE), NO_HEAD) is None
