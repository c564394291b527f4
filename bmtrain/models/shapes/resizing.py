"""What changes the size of a picture and learns nothing."""

from __future__ import annotations

from bmtrain.config.sections.layers import resizing as sections
from bmtrain.models.shapes.planned import Given, PlannedLayer, planned
from bmtrain.models.shapes.windows import both, height_width_channels


def zero_padding2d(config: sections.ZeroPadding2dLayer, given: Given) -> PlannedLayer:
    """DataError where the input is no picture."""
    height, width, channels = height_width_channels(config, given)
    rows, columns = both(config.padding)
    output = (height + 2 * rows, width + 2 * columns, channels)
    return planned(config, given, output, uses_mask=False)


def up_sampling2d(config: sections.UpSampling2dLayer, given: Given) -> PlannedLayer:
    """DataError where the input is no picture."""
    height, width, channels = height_width_channels(config, given)
    down, across = both(config.size)
    return planned(config, given, (height * down, width * across, channels), uses_mask=False)
