"""What travels beside the pixels comes out again, as an independent reader (ExifTool) sees it."""

from __future__ import annotations

import struct
from dataclasses import replace

import numpy as np
import pytest
import tifffile
from PIL import Image

import daybreak
from daybreak.image import exif, ifd
from daybreak.image.read import read_photo, read_record
from daybreak.image.write import encode_photo, write_photo

FIELDS = {
    "IFD0:Make": "Acme",
    "IFD0:Model": "Nightjar 2",
    "IFD0:Artist": "Zoë Müller",
    "IFD0:Copyright": "(c) Zoë",
    "IFD0:ImageDescription": "a street at night",
    "ExifIFD:DateTimeOriginal": "2021:03:04 05:06:07",
    "ExifIFD:OffsetTimeOriginal": "+02:00",
    "ExifIFD:ISO": 6400,
    "ExifIFD:ExposureTime": 0.04,
    "ExifIFD:FNumber": 1.8,
    "ExifIFD:LensModel": "Acme 35mm f/1.8",
    "ExifIFD:UserComment": "grüße",
    "GPS:GPSLatitude": 48.2082,
    "GPS:GPSLatitudeRef": "N",
    "GPS:GPSLongitude": 16.3738,
    "GPS:GPSLongitudeRef": "E",
    "GPS:GPSAltitude": 171,
    "XMP-dc:Title": "Nachts <&>",
    "XMP-dc:Subject": ["night", "street"],
    "XMP-xmp:Rating": 4,
    "XMP-dc:Description": "two\nlines\tand a tab",
}
IPTC = {"IPTC:City": "Wien", "IPTC:Keywords": "night"}
KINDS = {"jpeg": ".jpg", "png": ".png", "tiff": ".tif", "webp": ".webp", "avif": ".avif", "heif": ".heic"}


@pytest.fixture(scope="session")
def tagged(tmp_path_factory, exiftool, pillow_bytes, scene):
    """A file of each kind with all those fields, orientation 6 and a thumbnail, written by ExifTool."""
    folder = tmp_path_factory.mktemp("tagged")
    thumbnail = folder / "thumbnail.jpg"
    thumbnail.write_bytes(pillow_bytes(scene[::4, ::4].copy(), "JPEG"))

    def make(kind):
        path = folder / f"night{KINDS[kind]}"
        if not path.exists():
            path.write_bytes(pillow_bytes(scene, kind.upper()))
            fields = FIELDS | (IPTC if kind in ("jpeg", "tiff") else {})
            values = [(n, v) for n, vs in fields.items() for v in (vs if isinstance(vs, list) else [vs])]
            extra = ["-n", "-IFD0:Orientation=6", "-IFD0:XResolution=240", "-IFD0:YResolution=240"]
            extra += ["-IFD0:ResolutionUnit=2", "-XMP-tiff:Orientation=6", "-IFD0:Software=Acme firmware 1.0"]
            extra += [f"-ThumbnailImage<={thumbnail}"] if kind != "tiff" else []
            exiftool.write(path, *extra, *(f"-{name}={value}" for name, value in values))
        return path

    return make


@pytest.mark.parametrize("target", KINDS)
@pytest.mark.parametrize("source", ["jpeg", "png", "tiff", "webp", "avif"])
def test_exif_and_xmp_survive_between_all_formats(source, target, tagged, exiftool, tmp_path):
    if target == "heif":
        pytest.importorskip("pillow_heif")
    path = tmp_path / f"out{KINDS[target]}"
    write_photo(read_photo(tagged(source)), path)
    told = exiftool(path)
    assert "ExifTool:Warning" not in told
    assert "ExifTool:Error" not in told
    for name, value in FIELDS.items():
        assert told.get(name) == (pytest.approx(value) if isinstance(value, float) else value), name
    assert told.get("IFD0:Orientation", 1) == 1
    assert "XMP-tiff:Orientation" not in told
    assert told["IFD0:Software"] == f"daybreak {daybreak.__version__}"
    assert (told["IFD0:XResolution"], told["IFD0:YResolution"], told["IFD0:ResolutionUnit"]) == (240, 240, 2)
    assert not [name for name in told if name.startswith("IFD1:") or "Thumbnail" in name]
    if {source, target} <= {"jpeg", "tiff"}:
        for name, value in IPTC.items():
            assert told.get(name) == value, name


def test_what_would_not_fit_into_4_gib_is_a_big_tiff_with_all_of_it(tagged, exiftool, tmp_path, monkeypatch):
    monkeypatch.setattr("daybreak.image.vips.CLASSIC_TIFF", 100)
    path, again = tmp_path / "out.tif", tmp_path / "again.jpg"
    photo = read_photo(tagged("tiff"))
    write_photo(photo, path)
    assert path.read_bytes()[:4] == b"II+\0"
    np.testing.assert_array_equal(read_photo(path).pixels, photo.pixels)
    with tifffile.TiffFile(path) as file:  # ExifTool reads no GPS in one
        fields = {tag.name: tag.value for tag in file.pages[0].tags}
    assert fields["ExifTag"]["DateTimeOriginal"] == FIELDS["ExifIFD:DateTimeOriginal"]
    assert fields["GPSTag"]["GPSLongitudeRef"] == "E"
    assert fields["XResolution"] == (240, 1)
    write_photo(read_photo(path), again)
    told = exiftool(again)
    for name, value in (FIELDS | IPTC).items():
        assert told.get(name) == (pytest.approx(value) if isinstance(value, float) else value), name


@pytest.mark.parametrize("kind", KINDS)
def test_the_record_is_written_and_read_back(kind, tagged, exiftool, tmp_path):
    if kind == "heif":
        pytest.importorskip("pillow_heif")
    path = tmp_path / f"out{KINDS[kind]}"
    record = {"method": "crm", "settings": '{"gamma": 2.2}', "note": "ünïcode \udc80\0\r\n<&>\"'"}
    write_photo(read_photo(tagged("jpeg")), path, record=record)
    assert read_record(path) == record
    told = exiftool(path)
    assert '"method": "crm"' in told["XMP-daybreak:Record"]
    assert told["XMP-dc:Title"] == FIELDS["XMP-dc:Title"]
    again = record | {"method": "gamma"}
    write_photo(read_photo(path), path, record=again, overwrite=True)
    assert read_record(path) == again
    write_photo(read_photo(path), path, overwrite=True)
    assert read_record(path) is None, "an old record must not vouch for new pixels"


def test_bmp_holds_no_record(tmp_path, scene, pillow_bytes):
    path = tmp_path / "a.bmp"
    write_photo(read_photo(pillow_bytes(scene, "PNG")), path, record={"method": "x"})
    assert read_record(path) is None


@pytest.mark.parametrize("kind", ["jpeg", "png", "tiff", "webp"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_applied_once_and_only_once(
    kind, orientation, scene, pillow_bytes, exiftool, tmp_path
):
    """A picture stored in each of the eight ways comes in upright, and stays so through two more rounds."""
    stored = {
        1: scene,
        2: scene[:, ::-1],
        3: scene[::-1, ::-1],
        4: scene[::-1],
        5: scene.swapaxes(0, 1),
        6: np.rot90(scene, 1),
        7: scene[::-1, ::-1].swapaxes(0, 1),
        8: np.rot90(scene, -1),
    }[orientation]
    tags = Image.Exif()
    tags[0x0112] = orientation
    options = (
        {"lossless": True} if kind == "webp" else {"quality": 95, "subsampling": 0} if kind == "jpeg" else {}
    )
    data = pillow_bytes(np.ascontiguousarray(stored), kind.upper(), exif=tags.tobytes(), **options)
    for round_trip in range(3):
        photo = read_photo(data)
        assert photo.pixels.shape == scene.shape
        assert np.abs(photo.pixels - scene / 255).mean() < 0.01, round_trip
        data = encode_photo(photo, kind)
        path = tmp_path / f"{round_trip}{KINDS[kind]}"
        path.write_bytes(data)
        told = exiftool(path)
        assert told.get("IFD0:Orientation", 1) == 1
        assert (told.get("File:ImageWidth") or told.get("PNG:ImageWidth") or 64) == 64


def test_the_size_in_exif_is_that_of_the_new_picture(tagged, exiftool, tmp_path):
    path = tmp_path / "big.jpg"
    photo = read_photo(tagged("jpeg"))
    with_size = tmp_path / "sized.jpg"
    with_size.write_bytes(tagged("jpeg").read_bytes())
    exiftool.write(with_size, "-ExifIFD:ExifImageWidth=64", "-ExifIFD:ExifImageHeight=48")
    photo = read_photo(with_size)
    height, width = photo.pixels.shape[:2]
    write_photo(photo.with_pixels(np.zeros((2 * height, 2 * width, 3), np.float32)), path)
    told = exiftool(path)
    assert (told["ExifIFD:ExifImageWidth"], told["ExifIFD:ExifImageHeight"]) == (2 * width, 2 * height)


@pytest.mark.parametrize("order", ["<", ">"])
def test_a_size_among_the_main_fields_of_exif_is_turned_too(order, scene, pillow_bytes, exiftool, tmp_path):
    block = {"<": b"II*\0", ">": b"MM\0*"}[order] + struct.pack(order + "IHI", 8, 0, 0)
    sides = {0x0100: 64, 0x0101: 48, exif.ORIENTATION: 6}
    block = ifd.append(block, {tag: ifd.number(order, ifd.SHORT, side) for tag, side in sides.items()})
    photo = read_photo(pillow_bytes(scene, "JPEG", exif=b"Exif\0\0" + block))
    path = tmp_path / "a.jpg"
    write_photo(photo, path)
    told = exiftool(path)
    assert (told["IFD0:ImageWidth"], told["IFD0:ImageHeight"]) == (48, 64)
    assert told["IFD0:Orientation"] == 1
    write_photo(photo, tmp_path / "a.tif")
    assert read_photo(tmp_path / "a.tif").pixels.shape == (64, 48, 3)


@pytest.mark.parametrize("kind", ["jpeg", "png", "tiff"])
def test_resolution_without_exif(kind, scene, pillow_bytes, exiftool, tmp_path):
    path = tmp_path / f"a{KINDS[kind]}"
    write_photo(read_photo(pillow_bytes(scene, kind.upper(), dpi=(300, 150))), path)
    told = exiftool(path)
    assert (told["IFD0:XResolution"], told["IFD0:YResolution"]) == pytest.approx((300, 150), abs=0.02)
    with Image.open(path) as image:
        assert image.info["dpi"] == pytest.approx((300, 150), abs=0.02)


def test_no_resolution_is_made_up(scene, pillow_bytes, exiftool, tmp_path):
    for kind in ("jpeg", "png", "webp"):
        path = tmp_path / f"a{KINDS[kind]}"
        write_photo(read_photo(pillow_bytes(scene, kind.upper())), path)
        assert not [name for name in exiftool(path) if "Resolution" in name or "Pixels" in name]


def test_png_texts_stay_in_a_png(scene, pillow_bytes, exiftool, tmp_path):
    from PIL.PngImagePlugin import PngInfo

    texts = PngInfo()
    texts.add_text("Title", "Night")
    texts.add_itxt("Comment", "grüße", "de", "Bemerkung", zip=True)
    texts.add_text("Software", "something else")
    path = tmp_path / "a.png"
    write_photo(read_photo(pillow_bytes(scene, "PNG", pnginfo=texts)), path)
    told = exiftool(path)
    assert told["PNG:Title"] == "Night"
    assert "grüße" in told.values()
    assert "PNG:Software" not in told


def block_with_maker_note(order, note, thumbnail):
    """An EXIF block of two directories, the note at byte 80 and the thumbnail after it."""

    def directory(following, *fields):
        packed = b"".join(struct.pack(order + "HHII", *field) for field in fields)
        return struct.pack(order + "H", len(fields)) + packed + struct.pack(order + "I", following)

    block = {"<": b"II*\0", ">": b"MM\0*"}[order] + struct.pack(order + "I", 8)
    block += directory(44, (0x8769, 4, 1, 26))
    block += directory(0, (0x927C, 7, len(note), 80))
    block += directory(0, (0x0201, 4, 1, 80 + len(note)), (0x0202, 4, 1, len(thumbnail)))
    return block.ljust(80, b"\0") + note + thumbnail


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("after", [b"", b"something else"])
def test_a_maker_note_keeps_its_place(order, after, scene, pillow_bytes, exiftool, tmp_path):
    """Offsets inside a maker note count from the block's start, so neither it nor they may move."""
    note, thumbnail = bytes(range(1, 200)), b"\xff\xd8\xffthumbnail"
    block = block_with_maker_note(order, note, thumbnail) + after
    photo = read_photo(pillow_bytes(scene, "JPEG", exif=b"Exif\0\0" + block))
    assert photo.metadata.exif == block
    data = encode_photo(photo, "jpeg")
    at = data.index(b"Exif\0\0") + 6
    assert data[at + 80 : at + 80 + len(note)] == note
    assert thumbnail not in data
    assert after in data
    path = tmp_path / "a.jpg"
    path.write_bytes(data)
    assert exiftool(path)["IFD0:Software"].startswith("daybreak")
    again = encode_photo(read_photo(data), "jpeg")
    assert again[at + 80 : at + 80 + len(note)] == note


def packet(attributes="", inner=""):
    """An XMP packet with one description."""
    text = (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f'<rdf:Description rdf:about="" {attributes}>{inner}</rdf:Description></rdf:RDF></x:xmpmeta>'
    )
    return text.encode()


def test_blocks_too_large_for_a_jpeg(scene, pillow_bytes, tmp_path):
    photo = read_photo(pillow_bytes(scene, "PNG"))
    large = packet('xmlns:a="urn:a/"', f"<a:b>{'x' * 70_000}</a:b>")
    block = exif.refreshed(None, width=1, height=1, dpi=None)
    directory = ifd.read(block)
    directory[ifd.EXIF] = {
        ifd.MAKER_NOTE: ifd.Entry(7, bytes(70_000)),
        0x9003: ifd.text("2020:01:01 00:00:00"),
    }
    photo = replace(photo, metadata=replace(photo.metadata, xmp=large, exif=ifd.append(block, directory)))
    path = tmp_path / "a.jpg"
    write_photo(photo, path, record={"method": "x"})
    assert read_record(path) == {"method": "x"}
    with Image.open(path) as image:
        tags = image.getexif().get_ifd(0x8769)
    assert tags == {0x9003: "2020:01:01 00:00:00"}
    write_photo(photo, tmp_path / "a.png", record={"method": "x"})
    assert read_photo(tmp_path / "a.png").metadata.xmp.count(b"x" * 70_000) == 1


def test_broken_blocks_are_left_out_and_said(scene, pillow_bytes):
    data = pillow_bytes(scene, "JPEG", exif=b"Exif\0\0no TIFF at all", xmp=b"<not xml")
    photo = read_photo(data)
    assert photo.metadata.exif is None
    assert photo.metadata.xmp is None
    assert len([note for note in photo.notes if "left out" in note]) == 2


def test_a_gain_map_is_dropped_and_said(scene, pillow_bytes):
    told = packet('xmlns:hdrgm="http://ns.adobe.com/hdr-gain-map/1.0/" hdrgm:Version="1.0"')
    photo = read_photo(pillow_bytes(scene, "JPEG", xmp=told))
    assert photo.notes == ("the gain map for HDR screens was left out",)
    assert b"hdrgm:Version" not in encode_photo(photo, "jpeg")


CAMERA = 'xmlns:GCamera="http://ns.google.com/photos/1.0/camera/"'


@pytest.mark.parametrize("told", [
    packet(f'{CAMERA} GCamera:MotionPhoto="1" GCamera:MotionPhotoVersion="1" GCamera:HdrPlus="x"'),
    packet(f'{CAMERA} GCamera:MicroVideo="1" GCamera:MicroVideoOffset="4711" GCamera:HdrPlus="x"'),
    packet(CAMERA, "<GCamera:MotionPhoto>1</GCamera:MotionPhoto><GCamera:HdrPlus>x</GCamera:HdrPlus>"),
])  # fmt: skip
def test_the_film_of_a_motion_photo_is_dropped_and_said(told, scene, pillow_bytes):
    photo = read_photo(pillow_bytes(scene, "JPEG", xmp=told) + b"\0\0\0\x18ftypmp42" + bytes(100))
    assert photo.notes == ("the film of the motion photo was left out",)
    written = encode_photo(photo, "jpeg")
    assert b"GCamera:HdrPlus" in written
    assert not any(word in written for word in (b"MotionPhoto", b"MicroVideo", b"ftypmp42"))


def test_a_picture_that_says_it_is_no_motion_photo_has_lost_no_film(scene, pillow_bytes):
    told = packet(f'{CAMERA} GCamera:MotionPhoto="0"')
    assert read_photo(pillow_bytes(scene, "JPEG", xmp=told)).notes == ()
