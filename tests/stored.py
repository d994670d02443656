"""Finished runs on disk, made in milliseconds: what `compare` and its report read.

Loaded by the fixture `stored`; nothing else imports it.
"""

from __future__ import annotations

import numpy as np

from mtsbench.data import Case, Outcomes, Predictions
from mtsbench.errors import UndefinedMetricError
from mtsbench.evaluation import Evaluation
from mtsbench.identity import trial_key
from mtsbench.interfaces import Score
from mtsbench.metrics.overlap import overlap
from mtsbench.metrics.survival import follow_up, harrell_c
from mtsbench.records import StoredScore
from mtsbench.slices import cut_slice
from mtsbench.splits import Split, splits_hash
from mtsbench.store import RunStore
from mtsbench.trial_files import write_predictions
from mtsbench.volumes import Grid, Volume

GRID = Grid(size=(3, 20, 20), spacing=(3.0, 2.0, 2.0))
DAYS = np.linspace(0, 4000, 41)


def outcomes(cases: int, seed: int) -> Outcomes:
    random = np.random.default_rng(seed)
    time, censored = random.exponential(1500, cases), random.uniform(500, 4000, cases)
    return Outcomes(
        endpoint="pfs",
        case_ids=tuple(f"P{number:03d}" for number in range(cases)),
        time=np.minimum(time, censored) + 1,
        event=time <= censored,
    )


def risks(known: Outcomes, noise: float, random) -> np.ndarray:
    """Minus log time with noise: 0 is as good as can be, 100 is chance."""
    return -np.log(known.time) + noise * random.normal(size=len(known))


def segmentation(case_ids, random):
    """Squares of tumour, moved by the model; the images are the column's number."""
    ramp = np.broadcast_to(np.arange(20, dtype=np.float32), GRID.size)
    overlaps, slices, scores = {}, {}, []
    for case_id in case_ids:
        true, predicted = np.zeros(GRID.size, bool), np.zeros(GRID.size, bool)
        true[1, 6:12, 6:12] = True
        move = int(random.integers(0, 5))
        predicted[1, 6 + move : 12 + move, 6:12] = True
        case = Case(
            case_id=case_id,
            images={name: Volume(array=ramp, grid=GRID) for name in ("pet_suv", "ct_hu")},
            mask=None,
            clinical={},
        )
        overlaps[case_id] = overlap(predicted, true, GRID)
        slices[case_id] = cut_slice(case, true, predicted, GRID)
        scores.append(Score(value=overlaps[case_id].dice()))
    return tuple(scores), overlaps, slices


def score(risk, known: Outcomes) -> StoredScore:
    try:
        return StoredScore(value=harrell_c(risk, known.time, known.event), cases=len(known))
    except UndefinedMetricError as undefined:
        return StoredScore(value=None, reason=str(undefined), cases=len(known))


def make(folder, make_description, make_record, *, label, noise=1.0, **changes) -> RunStore:
    """A run of a model whose risks have this much noise.

    Changes: cases, seed (of the cohort), folds, repeats, seeds, masks, curves, given_mask,
    dataset, preset, options (one variant of a model has run "0123abcd", another what `run` says).
    """
    known = outcomes(changes.get("cases", 90), changes.get("seed", 1))
    folds, repeats = changes.get("folds", 3), changes.get("repeats", 1)
    seeds = changes.get("seeds", (0,))
    dataset = changes.get("dataset", "npc")
    horizons = follow_up(known)
    template = make_description()
    description = make_description(
        name=f"{dataset}-pfs-{label}-demo-{changes.get('run', '0123abcd')}",
        question={
            **template.question,
            "dataset": dataset,
            "preset": changes.get("preset", "demo"),
            "protocol": {
                "repeats": repeats,
                "folds": folds,
                "seeds": list(seeds),
                "validation_share": 0.2,
            },
        },
        method={
            **template.method,
            "model": label,
            "options": changes.get("options", template.method["options"]),
            "needs_mask_at_test": changes.get("given_mask", False),
        },
        cases=len(known),
        events=int(known.event.sum()),
        trials=folds * repeats * len(seeds),
        tau=horizons.tau,
        horizon=horizons.horizon,
    )
    splits = [
        split(known, repeat, fold, folds) for repeat in range(repeats) for fold in range(folds)
    ]
    description = description.model_copy(update={"splits_sha256": splits_hash(splits)})
    store = RunStore(folder / description.name)
    store.begin(description, splits, known)
    for one in splits:
        for seed in seeds:
            trial(store, known, one, make_record, seed, label, noise, changes)
    return store


def split(known: Outcomes, repeat: int, fold: int, folds: int) -> Split:
    order = np.random.default_rng(repeat).permutation(len(known))
    test = [known.case_ids[row] for row in sorted(order[fold::folds])]
    others = [one for one in known.case_ids if one not in set(test)]
    return Split(
        repeat=repeat,
        fold=fold,
        train=tuple(others[:-10]),
        validation=tuple(others[-10:]),
        test=tuple(test),
    )


def trial(store, known, split, make_record, seed, label, noise, changes) -> None:
    place = (split.repeat, split.fold, seed)
    random = np.random.default_rng([*place, *label.encode()])
    test = known.subset(split.test)
    others = known.subset((*split.train, *split.validation))
    risk = risks(test, noise, random)
    # Proportional hazards about the cohort's mean risk.
    hazard = np.exp(np.clip(risk + np.log(1500), -3, 3))
    survival = np.exp(-hazard[:, None] * DAYS / 1500) if changes.get("curves", True) else None
    per_patient, overlaps, slices = (), {}, {}
    if changes.get("masks", True):
        per_patient, overlaps, slices = segmentation(split.test, random)
    scores = {"harrell-c": score(risk, test)}
    if per_patient:
        mean = float(np.mean([one.value for one in per_patient]))
        scores["dice"] = StoredScore(value=mean, cases=len(test))
    run = store.description()
    record = make_record(
        split.fold,
        split.repeat,
        seed,
        key=trial_key(run.question, run.method, split.hash(), seed),
        split_sha256=split.hash(),
        cases={"train": len(others) - 10, "validation": 10, "test": len(test)},
        events={
            "train": int(others.event.sum()) - 5,
            "validation": 5,
            "test": int(test.event.sum()),
        },
        scores=scores,
        oracle={},
        platform={"python": "3.12", "torch": "2.13.0"},
    )
    predictions = Predictions(
        case_ids=test.case_ids,
        risk=risk,
        survival=survival,
        survival_time=None if survival is None else DAYS,
        survival_reading=None if survival is None else "linear",
    )
    evaluation = Evaluation(
        scores=scores,
        per_patient={"dice": per_patient} if per_patient else {},
        oracle={},
        recovery={},
        oracle_recovery={},
        overlaps=overlaps,
        slices=slices,
    )
    training = Predictions(case_ids=others.case_ids, risk=risks(others, noise, random))

    def fill(folder) -> None:
        write_predictions(folder, predictions, training, evaluation)
        (folder / "log.jsonl").write_text("")
        (folder / "record.json").write_text(record.model_dump_json())

    store.save_trial(record.key, fill)
