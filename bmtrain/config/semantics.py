"""What types cannot say and needs no data: settings that contradict each other."""

from __future__ import annotations

from bmtrain.config.nodes import Node
from bmtrain.config.sections.experiment import ExperimentConfig
from bmtrain.config.source_text import Problem


def semantic_problems(experiment: ExperimentConfig, root: Node) -> list[Problem]:
    """Errors and warnings about a valid experiment; ``root`` gives their places."""
    del experiment, root
    return []
