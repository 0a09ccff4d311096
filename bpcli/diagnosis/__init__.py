"""Likely problems of a training: findings with their evidence, cause and next command."""

from bpcli.diagnosis.diagnose import findings, overfitting_gap
from bpcli.diagnosis.finding import Finding

__all__ = ["Finding", "findings", "overfitting_gap"]
