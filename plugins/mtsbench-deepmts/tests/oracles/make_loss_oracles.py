"""Definitional values of the two losses, in plain numpy loops; writes losses.json beside it.

Run: python make_loss_oracles.py
"""

import json
from pathlib import Path

import numpy as np


def published_cox(log_risk, event):
    """-(1/sum e) sum_i e_i [r_i - log sum_{j >= i} exp r_j]; cases sorted by ascending time."""
    terms = [
        log_risk[i] - np.log(sum(np.exp(log_risk[j]) for j in range(i, len(log_risk))))
        for i in range(len(log_risk))
        if event[i]
    ]
    return -sum(terms) / sum(event)


def breslow(log_risk, time, event):
    """The same with risk sets {j: t_j >= t_i}."""
    terms = [
        log_risk[i]
        - np.log(sum(np.exp(r) for r, t in zip(log_risk, time, strict=True) if t >= time[i]))
        for i in range(len(log_risk))
        if event[i]
    ]
    return -sum(terms) / sum(event)


def soft_dice(probability, mask):
    """-mean_b 2 sum(y p) / max(sum(y + p), 1e-5)."""
    return -float(
        np.mean(
            [
                2 * np.sum(y * p) / max(np.sum(y + p), 1e-5)
                for p, y in zip(probability, mask, strict=True)
            ]
        )
    )


generator = np.random.default_rng(11)
log_risk = generator.normal(size=8).round(3)
time = np.sort(generator.choice(np.arange(1, 2000), size=8, replace=False))
event = np.array([1, 0, 1, 1, 0, 0, 1, 0])
tied_time = np.array([5, 5, 9, 9, 9, 20, 30, 30])
logit = generator.normal(size=(2, 1, 2, 2, 3)).round(3)
mask = generator.integers(0, 2, size=(2, 1, 2, 2, 3))
probability = 1 / (1 + np.exp(-logit))
values = {
    "log_risk": log_risk.tolist(),
    "time": time.tolist(),
    "event": event.tolist(),
    "published_cox": published_cox(log_risk, event),
    "tied_time": tied_time.tolist(),
    "breslow_with_ties": breslow(log_risk, tied_time, event),
    "logit": logit.tolist(),
    "mask": mask.tolist(),
    "soft_dice": soft_dice(probability, mask),
}
Path(__file__).with_name("losses.json").write_text(json.dumps(values, indent=1) + "\n")
