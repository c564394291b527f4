"""What types cannot say and needs no data: settings that contradict each other."""

from __future__ import annotations

from itertools import chain

from bmtrain.config.figure_checks import figure_findings
from bmtrain.config.nodes import Node
from bmtrain.config.origins import place_of
from bmtrain.config.output_checks import output_findings
from bmtrain.config.schedule_checks import schedule_findings
from bmtrain.config.sections.experiment import ExperimentConfig
from bmtrain.config.setting_checks import setting_findings
from bmtrain.config.source_text import Problem
from bmtrain.config.tracking_checks import tracking_findings

_CHECKS = (output_findings, figure_findings, setting_findings, schedule_findings, tracking_findings)


def semantic_problems(experiment: ExperimentConfig, root: Node) -> list[Problem]:
    """Errors and warnings about a valid experiment; ``root`` gives their places."""
    findings = chain.from_iterable(check(experiment) for check in _CHECKS)
    return [
        Problem(place_of(root, found.key), found.message, found.key, found.severity)
        for found in findings
    ]
