"""What can be said of texts as token numbers: vocabulary, lengths, tokens never seen in training."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from bmtrain.data.checks.finding import Finding
from bmtrain.data.encodings.text_encoding import PADDING, UNKNOWN, TextEncoding
from bmtrain.data.examples.dataset import DataFacts, Dataset, Split
from bmtrain.data.raw.streamed_rows import value_blocks

#: More tokens of a split than this that training never saw, or more texts without their end.
_MANY_UNKNOWN: Final = 0.2
_MANY_CUT: Final = 0.1
#: A training of which less than this is tokens spends its time on padding.
_FEW_FILLED: Final = 0.5
_TOKENS = ("data", "tokens")


def text_findings(dataset: Dataset) -> Iterator[Finding]:
    """The vocabulary's size, how many texts are as long as can be, the share of unknown tokens."""
    facts, train = dataset.facts, dataset.splits["train"]
    yield Finding(
        "ok", f"the vocabulary has {facts.vocabulary_size:,} tokens, all of train's texts"
    )
    yield _lengths(train, facts)
    for name, split in dataset.splits.items():
        num_unknown, num_tokens = 0, 0
        for block in value_blocks(split.features):
            num_unknown += int(np.count_nonzero(block == UNKNOWN))
            num_tokens += int(np.count_nonzero(block != PADDING))
        share = num_unknown / num_tokens
        message = f"{name}: {share:.1%} of the tokens are not in the vocabulary"
        if share <= _MANY_UNKNOWN:
            yield Finding("ok", message)
            continue
        remedy = "a larger data.tokens.vocabulary, or level: character, would tell them apart"
        yield Finding("warning", f"{message}; {remedy}", (*_TOKENS, "vocabulary"))


def _lengths(train: Split, facts: DataFacts) -> Finding:
    """Encoded texts do not say how long they were: those that fill all places may have been cut."""
    (length,) = facts.input_shape
    num_tokens = np.concatenate(
        [(block != PADDING).sum(axis=1) for block in value_blocks(train.features)]
    )
    longest, median = int(num_tokens.max()), int(np.median(num_tokens))
    full = float((num_tokens == length).mean())
    key = (*_TOKENS, "length")
    encoding = facts.encoding
    if full == 1 and isinstance(encoding, TextEncoding) and encoding.level != "word":
        text = f"train: every text fills all {length:,} places, as sequences of one length do"
        return Finding("ok", f"{text}; of longer ones the end was cut off")
    if full > _MANY_CUT:
        message = (
            f"train: {full:.1%} of the texts fill all {length:,} places: what is more was cut off "
            f"at the end; a larger data.tokens.length keeps it"
        )
        return Finding("warning", message, key)
    message = f"train: texts have {median:,} tokens in the middle, {longest:,} at most"
    if full:
        message += f"; {full:.1%} fill all {length:,} places, what is more was cut off"
    elif longest < _FEW_FILLED * length:
        message += (
            f"; data.tokens.length: {longest} holds them all, and trains up to "
            f"{length / longest:.0f} times as fast"
        )
        return Finding("warning", message, key)
    return Finding("ok", message)
