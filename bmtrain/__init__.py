"""One YAML file in, a trained, evaluated and checkpointed Keras model out.

result = bmtrain.train("configs/mnist.yaml", ["training.epochs=3"])
result.metrics["test"]["accuracy"]
bmtrain.load(result.run_dir).predict(images)
"""

from bmtrain.api import TrainingResult, load, train
from bmtrain.errors import BmtrainError
from bmtrain.version import __version__

__all__ = ["BmtrainError", "TrainingResult", "__version__", "load", "train"]
