"""The record survives as it is, and everything else in a packet stays."""

from __future__ import annotations

from xml.dom import minidom

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daybreak.image import xmp

PACKET = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><!-- kept -->
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:q="urn:q/"
 xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="6" tiff:Make="Acme"
 q:lines="one&#10;two&#13;&#9;three">
 <dc:title><rdf:Alt><rdf:li xml:lang="de">Nacht &lt;&amp;&gt; &#13;</rdf:li></rdf:Alt></dc:title>
 <q:Orientation>mine</q:Orientation>
</rdf:Description>
<rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/">
 <xmp:Rating>4</xmp:Rating><xmp:Thumbnails><rdf:Alt><rdf:li>AAAA</rdf:li></rdf:Alt></xmp:Thumbnails>
</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>""".encode()

text = st.text(st.characters(codec=None), max_size=40)  # any code point, lone surrogates and controls too


@given(record=st.dictionaries(text, text, max_size=5))
def test_any_record_comes_back_as_it_was(record):
    for packet in (None, PACKET):
        written = xmp.refreshed(packet, record)
        assert xmp.read_record(written) == record
        written.decode("utf-8")


def facts(packet):
    """Every attribute and text in a packet by its full name."""
    found = set()
    for element in minidom.parseString(packet).getElementsByTagName("*"):
        for attribute in element.attributes.values():
            if attribute.prefix != "xmlns":
                found.add((attribute.namespaceURI, attribute.localName, attribute.value))
        for child in element.childNodes:
            if child.nodeType == child.TEXT_NODE and child.data.strip():
                found.add((element.namespaceURI, element.localName, child.data))
    return found


def test_everything_else_stays_through_two_rounds():
    before = facts(PACKET)
    once = xmp.refreshed(PACKET, {"method": "crm"})
    twice = xmp.refreshed(once, {"method": "gamma"})
    gone = {name for _, name, _ in before - facts(twice)}
    assert gone == {"Orientation", "li"}, "tiff:Orientation and the thumbnail, which are stale"
    assert ("urn:q/", "Orientation", "mine") in facts(twice)
    assert ("urn:q/", "lines", "one\ntwo\r\tthree") in facts(twice)
    assert {value for _, name, value in facts(twice) - before} == {'{"method": "gamma"}'}
    assert b"<!-- kept -->" in twice
    assert xmp.read_record(xmp.refreshed(twice, None)) is None


def test_nothing_in_nothing_out():
    assert xmp.refreshed(None, None) is None


@pytest.mark.parametrize("packet", [
    b"", b"rubbish", b"<a/>", b"\0\0\0", PACKET[:200],
    b'<!DOCTYPE a [<!ENTITY b "bomb">]>' + PACKET.split(b"?>", 1)[1],
    PACKET.replace(b"<?xpacket", b'<?xml version="1.0" encoding="no-such-code"?><?xpacket', 1),
])  # fmt: skip
def test_broken_packets_count_as_none(packet):
    assert not xmp.is_readable(packet)
    assert xmp.refreshed(packet, None) is None
    assert xmp.read_record(xmp.refreshed(packet, {"a": "b"})) == {"a": "b"}


def filled(inside):
    return PACKET.replace(b"<q:Orientation>", inside + b"<q:Orientation>", 1)


@pytest.mark.parametrize("bomb", [
    filled(b"<q:a>" * 5000 + b"</q:a>" * 5000),
    filled(b"<q:a/>" * 200_000),
    filled(b"<q:a " + b" ".join(b'b%d=""' % n for n in range(200_000)) + b"/>"),
])  # fmt: skip
def test_bombs_count_as_none(bomb):
    assert not xmp.is_readable(bomb)
    assert xmp.read_record(xmp.refreshed(bomb, {"a": "b"})) == {"a": "b"}


def test_what_is_large_and_no_bomb_is_kept():
    for inside in (
        b"<q:a>" * 50 + b"</q:a>" * 50,
        b"<q:a/>" * 20_000,
        b"<q:a>" + b"A" * 2_000_000 + b"</q:a>",
    ):
        assert xmp.is_readable(filled(inside))
        assert inside[:200] in xmp.refreshed(filled(inside), {"a": "b"})


@given(packet=st.binary(max_size=200))
def test_no_bytes_make_it_fail(packet):
    assert xmp.read_record(packet) is None
    assert xmp.read_record(packet + xmp.NAMESPACE.encode()) is None
    xmp.refreshed(packet, None)
