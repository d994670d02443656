from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from mtsbench.data import Outcomes
from mtsbench.errors import DataError
from mtsbench.protocol import Protocol
from mtsbench.splits import Split, make_splits, splits_hash, workable_protocol


def outcomes(event) -> Outcomes:
    count = len(event)
    return Outcomes(
        endpoint="pfs",
        case_ids=tuple(f"P{number:03}" for number in range(count)),
        time=np.linspace(10.0, 900.0, count),
        event=np.array(event, dtype=np.bool_),
    )


@st.composite
def cohorts(draw) -> tuple[Outcomes, dict[str, str]]:
    """Enough events for five folds with a validation part, in any order, in up to four centres."""
    event = [True] * draw(st.integers(12, 40)) + [False] * draw(st.integers(4, 40))
    drawn = outcomes(draw(st.permutations(event)))
    hospitals = draw(st.lists(st.sampled_from("ABCD"), min_size=len(event), max_size=len(event)))
    known = dict(zip(drawn.case_ids, hospitals, strict=True))
    for case_id in draw(st.sets(st.sampled_from(drawn.case_ids), max_size=3)):
        del known[case_id]
    return drawn, known


protocols = st.builds(
    Protocol,
    repeats=st.integers(1, 2),
    folds=st.integers(2, 5),
    split_seed=st.integers(0, 2**32),
)


def strata(cohort: Outcomes, centres: dict[str, str]) -> dict[str, tuple[bool, str | None]]:
    return {
        case_id: (bool(event), centres.get(case_id))
        for case_id, event in zip(cohort.case_ids, cohort.event, strict=True)
    }


@settings(deadline=None, max_examples=50)
@given(drawn=cohorts(), protocol=protocols)
def test_every_case_is_tested_once_a_repeat_and_parts_never_share_a_case(drawn, protocol):
    cohort, centres = drawn

    splits = make_splits(cohort, protocol, centres)

    assert [(s.repeat, s.fold) for s in splits] == [
        (repeat, fold) for repeat in range(protocol.repeats) for fold in range(protocol.folds)
    ]
    for repeat in range(protocol.repeats):
        tested = [one for s in splits if s.repeat == repeat for one in s.test]
        assert sorted(tested) == sorted(cohort.case_ids)
    for split in splits:
        everyone = split.train + split.validation + split.test
        assert sorted(everyone) == sorted(cohort.case_ids)
        for part in (split.train, split.validation, split.test):
            assert all(first < second for first, second in pairwise(part))


@settings(deadline=None, max_examples=50)
@given(drawn=cohorts(), protocol=protocols)
def test_each_stratum_is_spread_over_the_parts_to_within_one_case(drawn, protocol):
    cohort, centres = drawn
    stratum = strata(cohort, centres)
    everyone = Counter(stratum.values())

    for split in make_splits(cohort, protocol, centres):
        test = Counter(stratum[one] for one in split.test)
        validation = Counter(stratum[one] for one in split.validation)
        for name, count in everyone.items():
            assert abs(test[name] - count / protocol.folds) < 1
            # A validation share of 0.2 is one hand of five.
            assert abs(validation[name] - (count - test[name]) / 5) < 1
        events = sum(count for (event, _), count in test.items() if event)
        assert abs(events - cohort.event.sum() / protocol.folds) < 1
        assert abs(len(split.test) - len(cohort) / protocol.folds) < 1


@settings(deadline=None, max_examples=25)
@given(drawn=cohorts(), protocol=protocols, randomness=st.randoms(use_true_random=False))
def test_the_order_of_the_rows_does_not_matter(drawn, protocol, randomness):
    cohort, centres = drawn
    shuffled = list(cohort.case_ids)
    randomness.shuffle(shuffled)

    other = make_splits(cohort.subset(shuffled), protocol, dict(reversed(centres.items())))

    assert other == make_splits(cohort, protocol, centres)


@settings(deadline=None, max_examples=25)
@given(drawn=cohorts(), seeds=st.lists(st.integers(0, 2**31), min_size=2, max_size=2, unique=True))
def test_another_seed_gives_other_splits_and_another_hash(drawn, seeds):
    cohort, centres = drawn
    one, other = (make_splits(cohort, Protocol(split_seed=seed), centres) for seed in seeds)
    # Even twelve events and four others have a billion ways to be dealt.
    assert one != other
    assert splits_hash(one) != splits_hash(other)


def test_the_default_splits_are_those_of_earlier_versions():
    """Stored runs go on: the hash was computed with version 0.1.0."""
    cohort = outcomes([True, False, True] * 20)
    centres = {one: "AB"[row % 7 == 0] for row, one in enumerate(cohort.case_ids)}

    found = splits_hash(make_splits(cohort, Protocol(repeats=2, folds=3), centres))

    assert found == "08b22b78db8414d6c406fbf6b0a5ac7f570c62b66cd9652e800349ee58ab6911"


def test_repeats_shuffle_anew():
    splits = make_splits(outcomes([True, False] * 20), Protocol(repeats=2, folds=2), {})

    assert splits[0].test not in (splits[2].test, splits[3].test)


@given(st.sampled_from(["repeat", "fold", "train", "validation", "test"]), st.integers(1, 9))
def test_the_hash_of_a_split_covers_all_of_it(field, number):
    facts = {"repeat": 0, "fold": 0, "train": ("A",), "validation": ("B",), "test": ("C",)}
    change = number if field in ("repeat", "fold") else (f"X{number}",)

    assert Split(**facts).hash() == Split(**facts).hash()
    assert Split(**{**facts, field: change}).hash() != Split(**facts).hash()


def test_the_hash_of_splits_covers_their_order():
    splits = make_splits(outcomes([True, False] * 20), Protocol(folds=2), {})

    assert splits_hash(splits) != splits_hash(splits[::-1])


def test_another_process_gives_the_same_hash():
    script = (
        "import numpy as np\n"
        "from mtsbench.data import Outcomes\n"
        "from mtsbench.protocol import Protocol\n"
        "from mtsbench.splits import make_splits, splits_hash\n"
        "ids = tuple(f'P{n:03}' for n in range(40))\n"
        "cohort = Outcomes(endpoint='pfs', case_ids=ids, time=np.linspace(10.0, 900.0, 40),\n"
        "    event=np.arange(40) % 2 == 0)\n"
        "centres = {one: 'AB'[row % 3 == 0] for row, one in enumerate(ids)}\n"
        "print(splits_hash(make_splits(cohort, Protocol(), centres)))\n"
    )
    cohort = outcomes([True, False] * 20)
    centres = {one: "AB"[row % 3 == 0] for row, one in enumerate(cohort.case_ids)}
    here = splits_hash(make_splits(cohort, Protocol(), centres))

    for hash_seed in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-c", script],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.strip() == here


def test_a_single_centre_stratifies_as_no_centre_does():
    cohort = outcomes([True, False] * 20)

    everywhere_a = make_splits(cohort, Protocol(), dict.fromkeys(cohort.case_ids, "A"))

    assert everywhere_a == make_splits(cohort, Protocol(), {})


@pytest.mark.parametrize(
    ("share", "cases"), [(0.5, 20), (0.4, 16), (0.34, 13.6), (0.3, 12), (0.25, 10), (0.1, 4)]
)
def test_the_validation_share_is_a_share_of_the_cases_that_are_not_tested(share, cases):
    protocol = Protocol(folds=2, validation_share=share)
    for split in make_splits(outcomes([True, False] * 40), protocol, {}):
        assert abs(len(split.validation) - cases) < 1


def test_a_cohort_without_events_is_refused():
    with pytest.raises(DataError, match="pfs: none of 30 cases had an event, so there is nothing"):
        make_splits(outcomes([False] * 30), Protocol(), {})


@pytest.mark.parametrize(
    ("events", "advice"),
    [
        (9, r"use --folds 4 \(in a file: folds and validation_share of \[protocol\]\)$"),
        (4, r"use --folds 2 \(in a file"),
        (3, "with 5 folds or fewer no validation share works: add patients or choose another endp"),
    ],
)
def test_too_few_events_for_the_folds_are_refused_with_what_is_possible(events, advice):
    cohort = outcomes([True] * events + [False] * 40)
    with pytest.raises(DataError, match=f"pfs: {events} events in .* fill 5 folds.*{advice}"):
        make_splits(cohort, Protocol(), {})


def test_a_part_without_events_is_refused_by_its_fold():
    # The two events that are left go to the second and third of five hands; the first validates.
    cohort = outcomes([True] * 4 + [False] * 42)
    protocol = Protocol(folds=2, repeats=1, split_seed=1)

    with pytest.raises(
        DataError,
        match=r"pfs: the validation part of fold \d in repeat 0 has \d cases with 0 events; "
        r"every part needs two cases and one event; use --validation-share 0.4 \(in a file",
    ):
        make_splits(cohort, protocol, {})
    assert make_splits(cohort, replace(protocol, validation_share=0.4), {})


@settings(deadline=None, max_examples=50)
@given(
    events=st.integers(1, 12),
    censored=st.integers(0, 12),
    folds=st.integers(2, 8),
    seed=st.integers(0, 99),
)
def test_what_a_refusal_advises_works(events, censored, folds, seed):
    cohort = outcomes([True] * events + [False] * censored)
    protocol = Protocol(folds=folds, split_seed=seed)
    try:
        make_splits(cohort, protocol, {})
    except DataError as refused:
        advised = re.search(
            r"use(?: --folds (\d))?(?: --validation-share (0\.\d+))? \(", str(refused)
        )
        if advised is None:
            assert "no validation share works" in str(refused)  # noqa: PT017
            assert workable_protocol(cohort, protocol, {}, lambda splits: True) is None
            return
        assert make_splits(
            cohort,
            replace(
                protocol,
                folds=int(advised[1] or folds),
                validation_share=float(advised[2] or protocol.validation_share),
            ),
            {},
        )


@settings(deadline=None)
@given(events=st.integers(4, 12), folds=st.integers(2, 4), seed=st.integers(0, 99))
def test_splits_that_are_given_have_an_event_in_every_part(events, folds, seed):
    cohort = outcomes([True] * events + [False] * 6)
    assume(events >= 2 * folds)
    event = dict(zip(cohort.case_ids, cohort.event, strict=True))
    try:
        splits = make_splits(cohort, Protocol(folds=folds, split_seed=seed), {})
    except DataError as refused:
        assert "every part needs two cases and one event" in str(refused)  # noqa: PT017
        return
    for split in splits:
        for part in (split.train, split.validation, split.test):
            assert any(event[one] for one in part)
            assert len(part) >= 2
