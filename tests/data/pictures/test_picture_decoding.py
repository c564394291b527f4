"""Each kind of picture becomes the pixels that arithmetic says; what is no sound picture is told."""

import io
import os
import struct
import warnings
import zlib

import numpy as np
import pytest
from PIL import Image

from bmtrain.data.encodings.image_encoding import ImageEncoding
from bmtrain.data.pictures import picture_decoding
from bmtrain.data.pictures.picture_decoding import decode_file, picture_header, pillow_quiet
from bmtrain.errors import DataError

HEIGHT, WIDTH = 6, 4
GREY = ImageEncoding(HEIGHT, WIDTH, 1)
COLOUR = ImageEncoding(HEIGHT, WIDTH, 3)
SAMPLES_OF = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}


def chunk(kind, content):
    return (
        struct.pack(">I", len(content))
        + kind
        + content
        + struct.pack(">I", zlib.crc32(kind + content))
    )


def png(samples, colour_type, *, bits=8, extra=b""):
    """By the PNG specification: rows without a filter, samples big-endian."""
    height, width = samples.shape[:2]
    rows = samples.astype(f">u{bits // 8}").reshape(height, -1)
    data = b"".join(b"\0" + row.tobytes() for row in rows)
    header = struct.pack(">IIBBBBB", width, height, bits, colour_type, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + extra
        + chunk(b"IDAT", zlib.compress(data))
        + chunk(b"IEND", b"")
    )


@pytest.fixture
def decode(tmp_path):
    def run(content, encoding, name="p.png"):
        path = tmp_path / name
        path.write_bytes(content)
        with pillow_quiet():
            return decode_file(path, encoding)

    return run


@pytest.fixture
def grey(numbers):
    return numbers.integers(0, 256, (HEIGHT, WIDTH), np.uint8)


@pytest.fixture
def colour(numbers):
    return numbers.integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)


def saved(pixels, kind, **options):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind, **options)
    return file.getvalue()


def test_pixels_of_the_right_size_are_kept(decode, grey, colour):
    np.testing.assert_array_equal(decode(png(grey, 0), GREY)[..., 0], grey)
    np.testing.assert_array_equal(decode(png(colour, 2), COLOUR), colour)


def test_grey_in_three_channels_is_three_times_the_same_and_comes_back(decode, grey):
    in_colour = decode(png(grey, 0), COLOUR)
    np.testing.assert_array_equal(in_colour, np.repeat(grey[..., None], 3, 2))
    np.testing.assert_array_equal(decode(png(in_colour, 2), GREY)[..., 0], grey)


def test_colour_in_one_channel_is_luma(decode, colour):
    luma = colour.astype(float) @ [0.299, 0.587, 0.114]
    found = decode(png(colour, 2), GREY)[..., 0]
    np.testing.assert_allclose(found, luma, atol=0.51)


@pytest.mark.parametrize(("colour_type", "encoding"), [(0, GREY), (2, COLOUR)])
def test_of_sixteen_bits_the_upper_eight_are_taken(decode, numbers, colour_type, encoding):
    shape = (HEIGHT, WIDTH, SAMPLES_OF[colour_type])
    samples = numbers.integers(0, 1 << 16, shape, np.uint16)
    found = decode(png(samples, colour_type, bits=16), encoding)
    np.testing.assert_array_equal(found, (samples >> 8).astype(np.uint8))


@pytest.mark.parametrize("colour_type", [4, 6])
def test_what_is_transparent_lies_on_white(decode, numbers, colour_type):
    samples = numbers.integers(0, 256, (HEIGHT, WIDTH, SAMPLES_OF[colour_type]), np.uint8)
    samples[0, :, -1], samples[1, :, -1] = 0, 255
    alpha = samples[..., -1:] / 255
    expected = np.broadcast_to(samples[..., :-1] * alpha + 255 * (1 - alpha), (HEIGHT, WIDTH, 3))
    np.testing.assert_allclose(decode(png(samples, colour_type), COLOUR), expected, atol=1)
    assert (decode(png(samples, colour_type), COLOUR)[0] == 255).all()


def test_a_palette_is_looked_up_and_its_transparent_entry_is_white(decode, numbers, grey):
    palette = numbers.integers(0, 256, (256, 3), np.uint8)
    extra = chunk(b"PLTE", palette.tobytes())
    np.testing.assert_array_equal(decode(png(grey, 3, extra=extra), COLOUR), palette[grey])
    opacity = np.full(256, 255, np.uint8)
    opacity[grey[2, 1]] = 0
    found = decode(png(grey, 3, extra=extra + chunk(b"tRNS", opacity.tobytes())), COLOUR)
    assert found[2, 1].tolist() == [255, 255, 255]


def test_two_colours_are_black_and_white(decode):
    is_white = np.indices((HEIGHT, WIDTH)).sum(0) % 2 == 1
    found = decode(saved(is_white, "PNG"), GREY)[..., 0]
    np.testing.assert_array_equal(found, np.where(is_white, 255, 0))


@pytest.mark.parametrize("kind", ["BMP", "GIF", "TIFF", "PPM", "WEBP"])
def test_lossless_formats_give_the_same_pixels(decode, grey, kind):
    options = {"lossless": True} if kind == "WEBP" else {}
    np.testing.assert_array_equal(decode(saved(grey, kind, **options), GREY)[..., 0], grey)


def test_a_jpeg_is_near_what_was_stored(decode):
    ramp = np.linspace(0, 255, 64, dtype=np.uint8).reshape(1, -1).repeat(64, 0)
    found = decode(saved(ramp, "JPEG", quality=95), ImageEncoding(64, 64, 1))[..., 0]
    np.testing.assert_allclose(found, ramp, atol=6)


def test_of_an_animation_the_first_frame_is_taken(decode, grey):
    frames = [Image.fromarray(np.full_like(grey, value)) for value in (10, 200, 90)]
    file = io.BytesIO()
    frames[0].save(file, "GIF", save_all=True, append_images=frames[1:])
    assert (decode(file.getvalue(), GREY) == 10).all()


@pytest.mark.parametrize(
    ("orientation", "upright"),
    [
        (1, lambda a: a),
        (2, np.fliplr),
        (3, lambda a: np.rot90(a, 2)),
        (4, np.flipud),
        (5, lambda a: a.swapaxes(0, 1)),
        (6, lambda a: np.rot90(a, -1)),
        (7, lambda a: np.rot90(a, 2).swapaxes(0, 1)),
        (8, np.rot90),
    ],
)
def test_the_cameras_orientation_is_followed(decode, grey, orientation, upright):
    exif = Image.Exif()
    exif[0x0112] = orientation
    expected = upright(grey)
    encoding = ImageEncoding(expected.shape[0], expected.shape[1], 1)
    found = decode(saved(grey, "PNG", exif=exif), encoding)[..., 0]
    np.testing.assert_array_equal(found, expected)


def triangle(size, wanted):
    """(wanted, size): weights of the bilinear filter, as wide as an output pixel."""
    scale = size / wanted
    support = max(scale, 1.0)
    centres = (np.arange(wanted) + 0.5) * scale
    distance = np.abs(np.arange(size) + 0.5 - centres[:, None]) / support
    weights = np.maximum(0, 1 - distance)
    return weights / weights.sum(1, keepdims=True)


def resized(pixels, height, width):
    rows = triangle(pixels.shape[0], height) @ pixels.astype(float)
    return rows @ triangle(pixels.shape[1], width).T


@pytest.mark.parametrize("shape", [(12, 8), (13, 21), (3, 2), (HEIGHT, 9)])
def test_stretching_is_bilinear_over_all_pixels_that_one_covers(decode, numbers, shape):
    pixels = numbers.integers(0, 256, shape, np.uint8)
    found = decode(png(pixels, 0), GREY)[..., 0]
    np.testing.assert_allclose(found, resized(pixels, HEIGHT, WIDTH), atol=1.01)


def test_cropping_keeps_the_middle(decode, numbers):
    pixels = numbers.integers(0, 256, (HEIGHT, WIDTH + 4), np.uint8)
    found = decode(png(pixels, 0), ImageEncoding(HEIGHT, WIDTH, 1, "crop"))[..., 0]
    np.testing.assert_array_equal(found, pixels[:, 2:-2])


def test_padding_is_black_on_both_sides(decode, numbers):
    pixels = numbers.integers(0, 256, (HEIGHT, WIDTH - 2), np.uint8)
    found = decode(png(pixels, 0), ImageEncoding(HEIGHT, WIDTH, 1, "pad"))[..., 0]
    np.testing.assert_array_equal(found, np.pad(pixels, ((0, 0), (1, 1))))


def test_the_header_tells_size_and_colour(tmp_path, grey, colour):
    for content, is_grey in ((png(grey, 0), True), (png(colour, 2), False)):
        (tmp_path / "p.png").write_bytes(content)
        assert picture_header(tmp_path / "p.png") == ((WIDTH, HEIGHT), is_grey)
    exif = Image.Exif()
    exif[0x0112] = 6
    (tmp_path / "p.jpg").write_bytes(saved(colour, "JPEG", exif=exif))
    assert picture_header(tmp_path / "p.jpg") == ((HEIGHT, WIDTH), False)


SOUND = png(np.arange(HEIGHT * WIDTH, dtype=np.uint8).reshape(HEIGHT, WIDTH), 0)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file is empty"),
        (b"no picture", "no picture of a known format"),
        (SOUND[:45], "damaged"),
        (SOUND[:-40], "damaged"),
        (SOUND.replace(b"IDAT", b"IDxT"), "damaged|no picture"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n", "no picture of a known format"),
    ],
)
def test_what_is_no_sound_picture_is_one_message_with_its_path(decode, content, message):
    with pytest.raises(DataError, match=message) as caught:
        decode(content, GREY)
    assert caught.value.where is not None
    assert caught.value.where.endswith("p.png")


@pytest.mark.parametrize("side", [9460, 40_000])
def test_a_decompression_bomb_is_told_before_it_is_decoded(decode, side):
    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    bomb = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"")
    with pytest.raises(DataError, match="too large"):
        decode(bomb, GREY)


def test_a_bomb_is_told_though_a_program_turned_pillows_bound_off(decode, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)
    header = struct.pack(">IIBBBBB", 20_000, 20_000, 8, 0, 0, 0, 0)
    bomb = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"")
    with pytest.raises(DataError, match="20,000 × 20,000 pixels"):
        decode(bomb, GREY)


def test_the_bytes_of_a_file_are_bounded(decode, monkeypatch):
    monkeypatch.setattr(picture_decoding, "MAX_FILE_BYTES", 10)
    with pytest.raises(DataError, match="a picture may have"):
        decode(SOUND, GREY)


def test_a_pipe_is_not_waited_for(tmp_path, nothing_hangs):
    os.mkfifo(tmp_path / "p.png")
    with pytest.raises(DataError, match="expected a file"):
        decode_file(tmp_path / "p.png", GREY)


def test_numbers_of_32_bits_are_refused(decode):
    floats = saved(np.ones((HEIGHT, WIDTH), np.float32), "TIFF")
    with pytest.raises(DataError, match="32 bits"):
        decode(floats, GREY, "p.tiff")


def test_whatever_a_bit_is_flipped_to_it_is_read_or_told(decode, numbers):
    for content in (SOUND, saved(np.zeros((9, 9, 3), np.uint8), "JPEG")):
        for _ in range(150):
            damaged = bytearray(content)
            damaged[numbers.integers(len(damaged))] ^= 1 << int(numbers.integers(8))
            try:
                found = decode(bytes(damaged), GREY)
            except DataError:
                continue
            assert found.shape == (HEIGHT, WIDTH, 1)


def test_pillow_itself_says_nothing(decode, grey):
    opacity = chunk(b"PLTE", bytes(768)) + chunk(b"tRNS", bytes(range(200)))
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        decode(png(grey, 3, extra=opacity), GREY)
    assert told == []
