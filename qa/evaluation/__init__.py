"""Evaluates answers against test questions: how good they are, where they fail, whether a change made them better."""

from qa.evaluation.compare import (
    Check,
    Comparison,
    Difference,
    compare,
    comparison_table,
    failing,
    parse_checks,
    regressions,
)
from qa.evaluation.failures import CAUSES, cause_of_failure
from qa.evaluation.metrics import METRICS, compute_metrics
from qa.evaluation.outcomes import Outcome, Row
from qa.evaluation.plots import draw_plots
from qa.evaluation.questions import Question, read_questions, unfindable
from qa.evaluation.report import render_failures, render_report
from qa.evaluation.run import Ask, Evaluation, Progress, evaluate, load
from qa.evaluation.squad import write_corpus
from qa.evaluation.table import headline

__all__ = [
    "CAUSES",
    "METRICS",
    "Ask",
    "Check",
    "Comparison",
    "Difference",
    "Evaluation",
    "Outcome",
    "Progress",
    "Question",
    "Row",
    "cause_of_failure",
    "compare",
    "comparison_table",
    "compute_metrics",
    "draw_plots",
    "evaluate",
    "failing",
    "headline",
    "load",
    "parse_checks",
    "read_questions",
    "regressions",
    "render_failures",
    "render_report",
    "unfindable",
    "write_corpus",
]
