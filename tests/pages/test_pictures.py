"""Examples, attributions and weights as PNGs."""

import base64
import io

import numpy as np
from PIL import Image

from bmtrain.pages.pictures import data_uri, heat_map_png, picture_png, weight_tiles


def opened(png):
    return Image.open(io.BytesIO(png))


def test_a_heat_map_is_blue_where_it_speaks_for_and_red_where_against():
    values = np.array([[1.0, -1.0], [0.0, 0.0]])
    grey = np.full((2, 2), 255, np.uint8)
    pixels = np.asarray(opened(heat_map_png(grey, values)))
    assert pixels.shape == (224, 224, 3)
    red, _, blue = pixels[0, 0].astype(int)
    assert blue > red + 100
    red, _, blue = pixels[0, -1].astype(int)
    assert red > blue + 100
    assert pixels[-1, 0].tolist() == [255, 255, 255]


def test_pictures_of_any_kind_are_png_small_ones_blown_up():
    colours = np.arange(300 * 2 * 3, dtype=np.uint8).reshape(300, 2, 3)
    assert opened(picture_png(colours)).size == (2, 300)
    assert opened(picture_png(colours, most=150)).size == (1, 150)
    assert opened(picture_png(np.zeros((4, 4, 1), np.float32))).size == (224, 224)
    uri = data_uri(picture_png(colours))
    assert uri.startswith("data:image/png;base64,")
    assert base64.b64decode(uri.partition(",")[2]) == picture_png(colours)


def test_the_units_whose_weights_are_largest_are_drawn_in_one_scale():
    kernel = np.zeros((3, 3, 70))
    kernel[0, 0, 5], kernel[0, 0, 6], kernel[1, 1, 69] = 1.0, -2.0, 4.0
    tiles = weight_tiles(kernel)
    assert tiles.units[:3] == (69, 6, 5)
    assert len(tiles.units) == 32
    pixels = np.asarray(opened(tiles.png(0)))
    assert pixels.shape == (3 * 74, 3 * 74, 3)
    assert pixels[0, 0].tolist() == [255, 255, 255]
    red, _, blue = pixels[100, 100].astype(int)
    assert blue > red
    assert opened(tiles.sheet_png()).size == ((6 * 4 + 1) * 8,) * 2  # with lines between
