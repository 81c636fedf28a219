"""XMP packets (ISO 16684-1): put daybreak's record in, take it out, drop what is no longer true.

The record is one JSON text under daybreak's own namespace, so that any string survives as it is. Everything
else in a packet stays as it was, except what describes the picture before: its orientation (the pixels are
upright now), thumbnails, and the pointers to a gain map, the film of a motion photo or an extended packet,
which are not written.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from xml.parsers.expat import ExpatError

if TYPE_CHECKING:
    from xml.dom.minidom import Document, Element

NAMESPACE = "urn:daybreak:xmp:1.0/"
_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_XMLNS = "http://www.w3.org/2000/xmlns/"
_TIFF = "http://ns.adobe.com/tiff/1.0/"
_GAIN_MAP = "http://ns.adobe.com/hdr-gain-map/1.0/"
_CAMERA = "http://ns.google.com/photos/1.0/camera/"
_FILM = ("MotionPhoto", "MicroVideo")  # how the names of its fields about a film begin

_STALE = {
    (NAMESPACE, "record"),
    (_TIFF, "Orientation"),
    ("http://ns.adobe.com/xap/1.0/", "Thumbnails"),
    ("http://ns.adobe.com/xmp/note/", "HasExtendedXMP"),
    ("http://ns.google.com/photos/1.0/container/", "Directory"),
}

# A parser turns raw line ends in attributes into spaces, and minidom before Python 3.13 writes them raw.
# They go through writing as private characters and become references after it.
_REFERENCES = {"\n": ("\ue90a", "&#10;"), "\r": ("\ue90d", "&#13;"), "\t": ("\ue909", "&#9;")}

_LARGEST = 16 << 20  # bytes
_MARKS = 200_000  # angles and equals signs: each stands for a node of up to a kilobyte
_DEEPEST = 100  # levels; minidom calls itself for each

_NEW = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="' + _RDF + '"><rdf:Description rdf:about="">'
    '<daybreak:record xmlns:daybreak="' + NAMESPACE + '">{}</daybreak:record>'
    "</rdf:Description></rdf:RDF></x:xmpmeta>"
)
"""A packet of nothing but a record."""


def refreshed(packet: bytes | None, record: Mapping[str, str] | None) -> bytes | None:
    """The packet as it goes into a written file, with `record` in place of an earlier one.

    Args:
        packet: as it came; None, or one that cannot be parsed, counts as none.
        record: what daybreak did, None to say nothing.

    Returns:
        A packet in UTF-8, or None where there was none and there is no record.
    """
    document = _parse(packet) if packet else None
    if document is None:
        if record is None:
            return None
        text = _text(record).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        return _packet(_NEW.format(text))
    descriptions = _descriptions(document)
    for description in descriptions:
        _drop_stale(description)
    if record is not None:
        home = descriptions[0] if descriptions else _new_description(document)
        element = document.createElementNS(NAMESPACE, "daybreak:record")
        element.setAttributeNS(_XMLNS, "xmlns:daybreak", NAMESPACE)
        element.appendChild(document.createTextNode(_text(record)))
        home.appendChild(element)
    for element in document.getElementsByTagName("*"):
        _guard_blanks(element)
    body = "".join(node.toxml() for node in document.childNodes if node.nodeType == node.ELEMENT_NODE)
    for private, reference in _REFERENCES.values():
        body = body.replace(private, reference)
    return _packet(body)


def _text(record: Mapping[str, str]) -> str:
    """The record as ASCII, in which there is nothing to normalise."""
    return json.dumps(dict(record))


def _packet(body: str) -> bytes:
    start = '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
    return f'{start}{body}<?xpacket end="w"?>'.encode("utf-8", "replace")


def read_record(packet: bytes) -> dict[str, str] | None:
    """The record that `refreshed` put into a packet; None where there is none."""
    if NAMESPACE.encode() not in packet:
        return None
    document = _parse(packet)
    for element in document.getElementsByTagNameNS(NAMESPACE, "record") if document else ():
        try:
            record = json.loads("".join(getattr(child, "data", "") for child in element.childNodes))
        except ValueError:
            continue
        if isinstance(record, dict):
            return {str(key): str(value) for key, value in record.items()}
    return None


def is_readable(packet: bytes) -> bool:
    """Whether the packet can be parsed, and so be kept."""
    return _parse(packet) is not None


def tells_gain_map(packet: bytes) -> bool:
    """Whether the packet says that the file also holds a gain map for bright screens."""
    return _GAIN_MAP.encode() in packet


def tells_film(packet: bytes) -> bool:
    """Whether the packet says that the file is a motion photo, with a film behind the picture."""
    says = re.search(rb":(?:MotionPhoto|MicroVideo)(?:\s*=\s*[\"']|>)\s*1\b", packet)
    return says is not None and _CAMERA.encode() in packet


def _parse(packet: bytes) -> Document | None:
    """The packet as a tree, None where it is malformed or a bomb: with a DOCTYPE, for it has entities, or too
    many or too deep nodes.
    """
    from xml.dom import minidom  # 8 ms

    packet = packet.strip(b"\0 \t\r\n")
    if b"<!DOCTYPE" in packet or len(packet) > _LARGEST or packet.count(b"<") + packet.count(b"=") > _MARKS:
        return None
    try:
        document = minidom.parseString(packet)
    except (ExpatError, ValueError, LookupError):  # LookupError: an encoding that Python does not know
        return None
    return document if _is_shallow(document) and document.getElementsByTagNameNS(_RDF, "RDF") else None


def _is_shallow(document: Document) -> bool:
    level: list[Any] = [document]
    for _ in range(_DEEPEST):
        level = [child for node in level for child in node.childNodes]
        if not level:
            return True
    return False


def _descriptions(document: Document) -> list[Element]:
    rdf = document.getElementsByTagNameNS(_RDF, "RDF")[0]
    return [e for e in rdf.getElementsByTagNameNS(_RDF, "Description") if e.parentNode is rdf]


def _new_description(document: Document) -> Element:
    rdf = document.getElementsByTagNameNS(_RDF, "RDF")[0]
    description = document.createElementNS(_RDF, f"{rdf.prefix}:Description" if rdf.prefix else "Description")
    description.setAttributeNS(_RDF, f"{rdf.prefix or 'rdf'}:about", "")
    rdf.appendChild(description)
    return description


def _drop_stale(description: Element) -> None:
    def is_stale(node: Any) -> bool:
        space, name = node.namespaceURI, node.localName
        of_film = space == _CAMERA and name.startswith(_FILM)
        return (space, name) in _STALE or space == _GAIN_MAP or of_film

    for child in [node for node in description.childNodes if node.nodeType == node.ELEMENT_NODE]:
        if is_stale(child):
            description.removeChild(child)
    for attribute in [a for a in description.attributes.values() if is_stale(a)]:
        description.removeAttributeNode(attribute)


def _guard_blanks(element: Element) -> None:
    """Put private characters for line ends and tabs in attributes, and for carriage returns in text."""
    for blank, (private, _) in _REFERENCES.items():
        for attribute in element.attributes.values():
            attribute.value = attribute.value.replace(blank, private)
        if blank == "\r":
            for node in element.childNodes:
                if node.nodeType == node.TEXT_NODE:
                    node.data = node.data.replace(blank, private)
