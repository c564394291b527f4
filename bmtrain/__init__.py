"""One YAML file in, a trained, evaluated and checkpointed Keras model out.

result = bmtrain.train("configs/mnist.yaml", ["training.epochs=3"])
result.metrics["test"]["accuracy"]
bmtrain.load(result.run_dir).predict(images)
"""

# Not imported here: the command's first imports must be few, since until its handlers are
# set, which is its first act, Ctrl-C ends it in a traceback of Python's.
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bmtrain.api import TrainingResult, load, train
    from bmtrain.errors import BmtrainError
    from bmtrain.version import __version__
else:

    def __getattr__(name: str) -> object:
        """What ``__all__`` names, imported when it is asked for."""
        if name in {"TrainingResult", "load", "train"}:
            from bmtrain import api as home
        elif name == "BmtrainError":
            from bmtrain import errors as home
        elif name == "__version__":
            from bmtrain import version as home
        else:
            raise AttributeError(f"module 'bmtrain' has no attribute {name!r}")
        return getattr(home, name)


def __dir__() -> list[str]:
    return [*__all__]


__all__ = ["BmtrainError", "TrainingResult", "__version__", "load", "train"]
