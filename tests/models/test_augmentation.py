"""Augmentation is what its formula says, and a pure function of seed, epoch and example."""

import numpy as np
import polars as pl
import pytest
import scipy.ndimage
import tensorflow as tf

from bmtrain.config.sections import augmentation as sections
from bmtrain.data.encodings.text_encoding import TextEncoding
from bmtrain.data.raw.columns import RawColumns
from bmtrain.data.raw.source import Place
from bmtrain.models.augmentation import Augmentor, sampled
from bmtrain.models.random_bits import between_zero_and_one, threefry_2x32, uniforms

PICTURES = np.random.default_rng(0).integers(0, 256, (6, 9, 7, 2), dtype=np.uint8)


def varied(item, features, *, examples=None, epoch=0, seed=1):
    features = np.asarray(features)
    numbers = np.arange(len(features)) if examples is None else np.asarray(examples)
    augmentor = Augmentor([item] if not isinstance(item, list) else item, seed=seed)
    numbers, at = tf.constant(numbers, tf.int32), tf.constant(epoch, tf.int64)
    raw = augmentor.features(tf.constant(features), numbers, at)
    return augmentor.inputs(raw, numbers, at).numpy()


@pytest.mark.parametrize(
    ("key", "counter", "expected"),
    [  # the known answers of Random123's kat_vectors, threefry 2x32 with 20 rounds
        ((0, 0), (0, 0), (0x6B200159, 0x99BA4EFE)),
        ((0xFFFFFFFF, 0xFFFFFFFF), (0xFFFFFFFF, 0xFFFFFFFF), (0x1CB996FC, 0xBB002BE7)),
        ((0x13198A2E, 0x03707344), (0x243F6A88, 0x85A308D3), (0xC4923A9C, 0x483DF7A0)),
    ],
)
def test_threefry_gives_the_published_answers(key, counter, expected):
    words = threefry_2x32(
        (tf.constant(key[0], tf.uint32), tf.constant(key[1], tf.uint32)),
        (tf.constant(counter[0], tf.uint32), tf.constant(counter[1], tf.uint32)),
    )
    assert tuple(int(word) for word in words) == expected


def test_uniforms_are_even_and_independent():
    values = uniforms(3, tf.constant(1, tf.int64), tf.range(400), 251).numpy()
    assert values.shape == (400, 251)
    assert 0 < values.min() < 1e-4
    assert 1 - 1e-4 < values.max() < 1
    counts = np.histogram(values, bins=20, range=(0, 1))[0]
    expected = values.size / 20
    assert ((counts - expected) ** 2 / expected).sum() < 43.8  # χ² of 19, once in a thousand
    assert abs(np.corrcoef(values[:, :-1].ravel(), values[:, 1:].ravel())[0, 1]) < 0.015
    assert abs(np.corrcoef(values[:-1].ravel(), values[1:].ravel())[0, 1]) < 0.015


def test_no_bits_at_all_make_a_zero_or_a_one():
    bits = tf.constant([0, 1, 2**31, 2**32 - 1], tf.uint32)
    values = between_zero_and_one(bits).numpy()
    assert values.min() == 2.0**-24
    assert values.max() == 1 - 2.0**-24
    assert np.isfinite(tf.math.erfinv(2 * values - 1).numpy()).all()


ALL: list[sections.Augmentation] = [
    sections.Shift(type="shift"),
    sections.Rotate(type="rotate", degrees=30),
    sections.Zoom(type="zoom", factor=0.3),
    sections.Flip(type="flip", mode="horizontal_and_vertical"),
    sections.Cutout(type="cutout", size=0.5),
    sections.Noise(type="noise", stddev=0.3),
    sections.InputDropout(type="dropout", rate=0.3),
]


@pytest.mark.parametrize("item", ALL, ids=lambda item: item.type)
def test_an_example_is_varied_the_same_in_any_batch_and_anew_in_each_epoch(item):
    pictures = PICTURES.astype(np.float32)
    whole = varied(item, pictures)
    some = varied(item, pictures[[4, 1]], examples=[4, 1])
    np.testing.assert_array_equal(some, whole[[4, 1]])
    assert not np.array_equal(varied(item, pictures, epoch=1), whole)
    assert not np.array_equal(varied(item, pictures, seed=2), whole)
    assert not np.array_equal(varied(item, pictures, examples=np.arange(6) + 6), whole)
    assert whole.shape == pictures.shape


def test_sampling_is_scipys_affine_transform():
    rng = np.random.default_rng(1)
    matrix = (np.eye(2) + 0.3 * rng.normal(size=(6, 2, 2))).astype(np.float32)
    offset = rng.normal(size=(6, 2)).astype(np.float32)
    result = sampled(tf.constant(PICTURES), tf.constant(matrix), tf.constant(offset)).numpy()
    centre = np.array([4.0, 3.0])
    for at, picture in enumerate(PICTURES.astype(np.float64)):
        shift = offset[at] + centre - matrix[at] @ centre
        for channel in range(2):
            expected = scipy.ndimage.affine_transform(
                picture[..., channel], matrix[at], shift, order=1, mode="grid-constant"
            )
            np.testing.assert_allclose(result[at, ..., channel], expected, atol=2e-3)


def test_a_shift_of_whole_pixels_moves_and_fills_with_zero():
    moved = sampled(
        tf.constant(PICTURES), tf.eye(2)[None] * tf.ones((6, 1, 1)), tf.constant([[1.0, -2.0]] * 6)
    ).numpy()
    np.testing.assert_array_equal(moved[:, :-1, 2:], PICTURES[:, 1:, :-2])
    assert not moved[:, -1].any()
    assert not moved[:, :, :2].any()


def test_motions_together_are_the_one_after_the_other_in_one_sampling():
    """A rotation by a right angle about the centre, then a shift, on one bright pixel."""
    picture = np.zeros((400, 21, 21), np.float32)
    picture[:, 10, 16] = 1.0  # six to the right of the centre
    items = [
        sections.Zoom(type="zoom", factor=0.5),
        sections.Shift(type="shift", height=0.0, width=0.2),
    ]
    result = varied(items, picture)
    mass = result.sum(axis=(1, 2))
    seen = mass > 0.5
    columns = (result * np.arange(21)).sum(axis=(1, 2))[seen] / mass[seen]
    rows = (result * np.arange(21)[:, None]).sum(axis=(1, 2))[seen] / mass[seen]
    np.testing.assert_allclose(rows, 10, atol=1e-3)
    # Zoomed first, the pixel is 3 to 9 from the centre, and then moved by up to 4.2.
    assert columns.min() > 10 + 3 - 4.2 - 1
    assert columns.max() > 10 + 6 + 2


def test_rotation_is_even_about_the_centre_and_keeps_distances():
    picture = np.zeros((500, 21, 21), np.float32)
    picture[:, 10, 16] = 1.0
    result = varied(sections.Rotate(type="rotate", degrees=90), picture)
    mass = result.sum(axis=(1, 2))
    x = (result * np.arange(21)).sum(axis=(1, 2)) / mass - 10
    y = (result * np.arange(21)[:, None]).sum(axis=(1, 2)) / mass - 10
    np.testing.assert_allclose(np.hypot(x, y), 6, atol=0.35)
    degrees = np.degrees(np.arctan2(y, x))
    assert abs(degrees).max() < 92
    assert abs(degrees.mean()) < 8
    assert abs(degrees.std() - 180 / np.sqrt(12)) < 4


def test_half_of_the_pictures_are_mirrored():
    pictures = np.tile(PICTURES[:1], (300, 1, 1, 1))
    result = varied(sections.Flip(type="flip"), pictures)
    is_mirrored = (result == pictures[:, :, ::-1]).all(axis=(1, 2, 3))
    is_same = (result == pictures).all(axis=(1, 2, 3))
    assert (is_mirrored ^ is_same).all()
    assert 120 < is_mirrored.sum() < 180
    assert result.dtype == np.uint8


def test_cutout_is_one_square_of_the_stated_size():
    pictures = np.ones((200, 20, 30), np.uint8)
    cut = varied(sections.Cutout(type="cutout", size=0.4), pictures) == 0
    for picture in cut:
        rows, columns = np.flatnonzero(picture.any(axis=1)), np.flatnonzero(picture.any(axis=0))
        assert picture[np.ix_(rows, columns)].all()
        assert picture.sum() == len(rows) * len(columns)
        assert len(rows) <= 9
        assert len(columns) <= 9
    whole = cut[(cut.any(axis=2).sum(axis=1) == 8) & (cut.any(axis=1).sum(axis=1) == 8)]
    assert len(whole) > 50


def test_noise_is_normal_and_dropout_has_its_rate():
    values = np.zeros((300, 40), np.float32)
    noise = varied(sections.Noise(type="noise", stddev=0.5), values)
    assert abs(noise.mean()) < 0.02
    assert abs(noise.std() - 0.5) < 0.01
    within = np.mean(np.abs(noise) < 0.5)
    assert abs(within - 0.6827) < 0.01
    dropped = varied(sections.InputDropout(type="dropout", rate=0.3), values + 1)
    assert set(np.unique(dropped)) == {0.0, 1.0}
    assert abs(np.mean(dropped == 0) - 0.3) < 0.015


@pytest.mark.parametrize("dtype", [np.uint16, np.int32])
def test_masked_tokens_are_unknown_and_padding_stays(dtype):
    ids = np.tile(np.array([5, 9, 2, 7, 0, 0], dtype), (400, 1))
    result = varied(sections.MaskTokens(type="mask_tokens", rate=0.25), ids)
    assert result.dtype == dtype
    assert not result[:, 4:].any()
    is_masked = result[:, :4] != ids[:, :4]
    encoding = TextEncoding("text", "word", lowercase=True, length=1, vocabulary=("a", "b"))
    zzz = RawColumns({}, {"text": pl.Series(["zzz"])})
    ((unknown,),) = encoding.encode(zzz, Place("x.csv")).tolist()
    assert (result[:, :4][is_masked] == unknown).all()
    assert abs(is_masked.mean() - 0.25) < 0.04


@pytest.mark.parametrize("jit_compile", [False, True])
def test_compiled_it_gives_the_same_draws(jit_compile):
    augmentor = Augmentor(ALL, seed=1)
    pictures, numbers = tf.constant(PICTURES), tf.range(6)

    @tf.function(jit_compile=jit_compile)
    def run(epoch):
        return augmentor.inputs(augmentor.features(pictures, numbers, epoch), numbers, epoch)

    expected = varied(ALL, PICTURES, epoch=3)
    np.testing.assert_allclose(run(tf.constant(3, tf.int64)).numpy(), expected, atol=1e-3)
