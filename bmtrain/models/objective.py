"""The objective: data loss plus L2 penalty, J(θ) = loss(θ) + penalty(θ)."""

from __future__ import annotations

import keras
import tensorflow as tf

from bmtrain.config.sections.training import L2Convention, RegularizationSection
from bmtrain.models.shapes.planned import KERNELS


def l2_factor(l2_lambda: float, convention: L2Convention, num_train_examples: int) -> float:
    """C in penalty = c·Σw², the λ that ``keras.regularizers.L2`` would be given.

    mean: λ/(2m), m = num_train_examples, gradient λ/m·w. sum: λ, gradient 2λ·w.
    half: λ/2, gradient λ·w (PyTorch's weight_decay under SGD).
    Under Adam none of them is decoupled weight decay (Loshchilov & Hutter
    2019): the penalty's gradient passes through the moments.
    """
    factors = {"mean": 0.5 / num_train_examples, "sum": 1.0, "half": 0.5}
    return l2_lambda * factors[convention]


def penalized_kernels(model: keras.Sequential) -> list[keras.Variable]:
    """Kernels alone, recurrent ones among them: never biases, embeddings, gammas or betas."""
    return [v for v in model.trainable_variables if v.name in KERNELS]


def l2_penalty(kernels: list[keras.Variable], factor: float) -> tf.Tensor:
    """Factor · Σw² over all kernels, float32 scalar; exactly 0 without λ."""
    if factor == 0.0 or not kernels:
        return tf.zeros((), tf.float32)
    squares = [tf.reduce_sum(tf.square(kernel.value)) for kernel in kernels]
    return factor * tf.add_n(squares)


def own_penalty(model: keras.Sequential) -> tf.Tensor | None:
    """What layers add for their own kernels, l1·Σ|w| + l2·Σw², float32 scalar; None: none does."""
    variables = [v for v in model.trainable_variables if v.regularizer is not None]
    return tf.add_n([v.regularizer(v.value) for v in variables]) if variables else None


def describe_l2(section: RegularizationSection, num_train_examples: int) -> tuple[str, str | None]:
    """The Keras equivalent of λ in words, and a warning where it does next to nothing."""
    factor = l2_factor(section.l2_lambda, section.l2_convention, num_train_examples)
    formula = {"mean": "λ/(2m)·Σw²", "sum": "λ·Σw²", "half": "λ/2·Σw²"}[section.l2_convention]
    note = (
        f"L2 penalty {formula}, λ = {section.l2_lambda:g}, m = {num_train_examples:,}: "
        f"the same as keras.regularizers.L2({factor:.3g}) on every kernel"
    )
    per_example = section.l2_lambda / num_train_examples
    if section.l2_convention == "mean" and 0 < per_example < 1e-6:
        return note, (
            f"λ/m = {per_example:.1e} is under 1e-6: the L2 penalty does next to nothing; "
            "a larger regularization.l2_lambda, or l2_convention: sum, may be meant"
        )
    return note, None
