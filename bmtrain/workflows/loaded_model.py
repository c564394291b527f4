"""A checkpoint's model in the hands of a program: predicts and evaluates what it is given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bmtrain.config.plugin_tables import NO_PLUGINS, Plugins
from bmtrain.config.sections.experiment import ExperimentConfig
from bmtrain.data.examples.dataset import DataFacts
from bmtrain.data.given_examples import given_features, given_pictures, given_split
from bmtrain.workflows.explaining.attributing import attributor_of
from bmtrain.workflows.explaining.given import (
    ExampleMethod,
    Explanations,
    asked_of,
    explanations_of,
)
from bmtrain.workflows.predict import Predictions, predictions_of
from bmtrain.workflows.restoring import Restored, read_restored, restored_session
from bmtrain.workflows.session import Session, native_faults

if TYPE_CHECKING:
    from bmtrain.engine.attributions import Attributor


class LoadedModel:
    """The model of one checkpoint, its preprocessing included; ``bmtrain.load`` makes it.

    TensorFlow starts with the first prediction.
    """

    def __init__(self, restored: Restored) -> None:
        self._restored = restored
        self._session: Session | None = None
        self._attributor: Attributor | None = None

    @classmethod
    def read(cls, path: Path, plugins: Plugins = NO_PLUGINS) -> LoadedModel:
        """The model of a run directory's best or last checkpoint, or of a checkpoint.

        Raises:
            CheckpointError: there is none, it is damaged or does not fit itself, or it needs a
                plugin that is not in ``plugins``.
        """
        return cls(read_restored(path, plugins))

    @property
    def checkpoint(self) -> Path:
        """The checkpoint that was read; of a run, the one that the run was judged by."""
        return self._restored.found.path

    @property
    def config(self) -> ExperimentConfig:
        """The experiment that trained it, with every default written out."""
        return self._restored.checkpoint.experiment

    @property
    def data(self) -> DataFacts:
        """What it was trained on: shape and dtype of an example, names of classes and columns."""
        return self._restored.checkpoint.preprocessing.facts

    @property
    def weights(self) -> Mapping[str, NDArray[Any]]:
        """Every variable of the model by its position, ``layers.1.kernel`` say."""
        return self._restored.checkpoint.model

    def predict(self, examples: Any) -> Predictions:
        """Predict each example; the same figures as ``bmtrain predict`` gives.

        ``.predicted`` are indices of ``.class_names``; ``.labels`` their names, always texts: the
        class 3 of a column of integers is "3".

        Args:
            examples: (examples, ...) of the training data's shape and dtype, not scaled; or,
                for a model of a table, a mapping or data frame with its feature columns; for a
                model of pictures their paths, or folders: the predictions' ``files`` are in order.

        Raises:
            DataError: they do not fit; EnvironmentFault: they do not fit into the memory.
        """
        features = given_features(examples, self.data)
        session = self._started()
        with native_faults(session.engine.device):
            outputs = session.evaluator.predict(features)
        files = given_pictures(examples, self.data)
        return replace(predictions_of(self._restored, outputs), files=files)

    def evaluate(self, examples: Any, labels: Any, sample_weight: Any = None) -> dict[str, float]:
        """Loss, penalty, objective and the config's metrics, over all examples.

        Args:
            examples: as in ``predict``.
            labels: class names or numbers (examples,), or targets (examples, outputs).
            sample_weight: (examples,) what each counts in the loss; None: 1 each. Class weights
                that the model was trained with come on top; metrics weigh all alike.

        Raises:
            DataError: as in ``predict``; a label of no known class; a negative weight.
        """
        split = given_split(examples, labels, self.data, sample_weight=sample_weight)
        session = self._started()
        with native_faults(session.engine.device):
            return session.evaluator.evaluate(split).figures

    def explain(
        self,
        examples: Any,
        *,
        target: str | int | None = None,
        methods: Sequence[ExampleMethod] | None = None,
    ) -> Explanations:
        """What each example's output is made of; the same figures as ``bmtrain explain`` gives.

        Integrated gradients of a score F along the straight path from a baseline x' to x,
        (x − x')·∫₀¹ ∂F/∂x(x' + a·(x − x')) da (Sundararajan, Taly and Yan 2017, equation 1), by
        the midpoint rule: 32 steps, doubled up to 1,024 until their sum is F(x) − F(x') within 1 %.
        F is the logit of a class where the model has one, before a last softmax or sigmoid; else
        the probability; of numbers the output. x' is 0 for bytes, padding for texts, 0 after
        scaling for numbers, and no category. Occlusion (Zeiler and Fergus 2014, section 4.2): what
        the probability, or of numbers the output, loses where a part is put at its baseline.

        Examples are explained one after the other, each with some tens of passes.

        Args:
            examples: as in ``predict``.
            target: the class by name or number, or the target by number, that is explained; None:
                of classes the one that is predicted, of several targets the first.
            methods: "integrated_gradients", "occlusion"; None: those that suit the data.

        Raises:
            UsageError: there is no such class or target, or a method does not suit the data.
            DataError: as in ``predict``; EnvironmentFault: as in ``predict``.
        """
        asked = asked_of(self._restored, target, methods)
        features = given_features(examples, self.data)
        session = self._started()
        if self._attributor is None:
            self._attributor = attributor_of(self._restored, session)
        return explanations_of(self._restored, session, self._attributor, features, asked)

    def _started(self) -> Session:
        if self._session is None:
            with restored_session(self._restored) as session:
                # Compiled inside, where native chatter goes nowhere and the cache is kept.
                facts = self.data
                session.evaluator.predict(np.zeros((1, *facts.input_shape), facts.input_dtype))
                self._session = session
        return self._session
