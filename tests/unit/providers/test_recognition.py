"""Which format a document has, by its first bytes."""

import pytest

from app.adapters.outbound.providers.inspection.recognition import Format, recognise


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (b"<tv></tv>", Format.XML),
        (b"\xef\xbb\xbf  <?xml version='1.0'?><!-- a <note> --><rss/>", Format.XML),
        ("<a/>".encode("utf-16"), Format.XML),
        (b'{"a": 1}', Format.JSON),
        (b' [\n{"a": 1}]', Format.JSON),
        (b'{"a": 1}\n{"a": 2}\n', Format.NDJSON),
        (b"BEGIN:VCALENDAR\r\n", Format.ICALENDAR),
        (b"a,b,c\n1,2,3\n", Format.CSV),
        (b'a;"b;c"\n1;"2;3"\n', Format.CSV),
        (b"a\tb\n1\t2\n", Format.CSV),
        (b"a|b\n1|2\n", Format.CSV),
    ],
)
def test_the_first_bytes_tell_the_format(head: bytes, expected: Format) -> None:
    assert recognise(head).format is expected


@pytest.mark.parametrize(
    ("head", "said"),
    [
        (b"", "empty"),
        (b"PK\x03\x04...", "spreadsheet"),
        (b"%PDF-1.7", "PDF"),
        (b"PAR1", "Parquet"),
        (b"\x28\xb5\x2f\xfd", "zstd"),
        (b"<!DOCTYPE html><html></html>", "HTML"),
        (b'<html><script type="application/ld+json">{}</script></html>', "JSON-LD"),
        (b"\x00\x01\x02\x03 binary", "binary"),
        (b"Dear customers, we are closed today.\n", "text that is no"),
    ],
)
def test_what_cannot_be_mapped_is_called_by_its_name(head: bytes, said: str) -> None:
    found = recognise(head)

    assert found.format is None
    assert said in found.said


@pytest.mark.parametrize(
    ("head", "charset", "encoding"),
    [
        ("title,start\né,1\n".encode(), None, "utf-8"),
        ("title,start\né,1\n".encode("cp1252"), None, "cp1252"),
        ("title,start\né,1\n".encode("iso-8859-15"), "iso8859-15", "iso8859-15"),
        ("title,start\né,1\n".encode("utf-16"), None, "utf-16"),
        (b"<?xml version='1.0' encoding='windows-1250'?><a/>", "utf-8", "cp1250"),
    ],
)
def test_the_encoding_is_what_the_document_says_or_the_server_or_what_fits(
    head: bytes, charset: str | None, encoding: str
) -> None:
    assert recognise(head, charset).encoding == encoding


@pytest.mark.parametrize(("doctype", "built_in"), [("", True), ("<!DOCTYPE planList>", False)])
def test_a_dialect_of_ours_is_known_by_its_root(doctype: str, built_in: bool) -> None:
    found = recognise(f"{doctype}<planList/>".encode())

    assert (found.built_in, found.doctype) == (built_in, not built_in)
