from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mtsbench.errors import OptionError
from mtsbench.experiment import Request
from mtsbench.experiment_file import read_experiment_file
from mtsbench.options import format_value, parse_assignments
from mtsbench.plan import plan_file
from mtsbench.plugins import load_components

PAIR = 'datasets = ["npc"]\nmodels = ["km"]\n'


@pytest.fixture
def read(tmp_path):
    def read(text: str):
        path = tmp_path / "experiment.toml"
        path.write_text(text, encoding="utf-8")
        return read_experiment_file(path)

    return read


def requests(text: str, folder: Path) -> tuple[Request, ...]:
    path = folder / "experiment.toml"
    path.write_text(text, encoding="utf-8")
    return read_experiment_file(path).requests(path)


def test_every_model_meets_every_dataset_in_the_order_of_the_file(tmp_path):
    found = requests('datasets = ["npc", "veteran"]\nmodels = ["km", "deepmts"]\n', tmp_path)

    assert [(one.dataset, one.model) for one in found] == [
        ("npc", "km"),
        ("npc", "deepmts"),
        ("veteran", "km"),
        ("veteran", "deepmts"),
    ]


def test_a_name_alone_asks_for_what_the_command_line_asks_for_without_options(tmp_path):
    assert requests(PAIR, tmp_path) == (Request(model="km", dataset="npc"),)


def test_every_choice_of_the_command_line_can_be_made(tmp_path):
    text = """
        preset = "standard"
        device = "cuda:1"

        [protocol]
        folds = 4
        repeats = 2
        validation_share = 0.3
        seeds = [3, 5]

        [[datasets]]
        name = "npc"
        data_root = "cohort"
        endpoint = "os"
        options = { cases = 30 }

        [[models]]
        name = "deepmts"
        options = { width = 8, bias = false, mode = "a,b", head = { risk = "rmst", l2 = 0.5 } }
        training = { epochs = 3, learning_rates = [[0, 1e-3], [50, 1e-4]] }
        preprocessing = { ct_window = [-200, 200.5] }
    """

    (found,) = requests(text, tmp_path)

    assert found == Request(
        model="deepmts",
        dataset="npc",
        data_root=tmp_path / "cohort",
        endpoint="os",
        preset="standard",
        folds=4,
        repeats=2,
        validation_share=0.3,
        seeds=(3, 5),
        device="cuda:1",
        settings={
            "width": "8",
            "bias": "false",
            "mode": "a,b",
            "head.risk": "rmst",
            "head.l2": "0.5",
            "training.epochs": "3",
            "training.learning_rates": "0:0.001,50:0.0001",
            "preprocessing.ct_window": "-200,200.5",
            "dataset.cases": "30",
        },
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("cohorts/npc", "{folder}/cohorts/npc"),
        ("../npc", "{folder}/../npc"),
        ("/data/npc", "/data/npc"),
        ("~/npc", "{home}/npc"),
    ],
)
def test_a_data_root_is_relative_to_the_file_whatever_the_current_folder(
    text, expected, tmp_path, monkeypatch
):
    home = tmp_path / "home"
    monkeypatch.setenv("HOME", str(home))
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")

    (found,) = requests(
        f'datasets = [{{ name = "npc", data_root = "{text}" }}]\nmodels = ["km"]', tmp_path
    )

    assert str(found.data_root) == expected.format(folder=tmp_path, home=home)


numbers = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**53), 2**53)


@settings(deadline=None)  # a busy machine is no fault
@given(st.dictionaries(st.from_regex(r"[a-z_]{1,8}", fullmatch=True), numbers | st.booleans()))
def test_a_value_means_what_the_same_text_means_after_set(tmp_path_factory, options):
    toml = ", ".join(f"{name} = {format_value(value)}" for name, value in options.items())
    folder = tmp_path_factory.mktemp("experiment")

    (found,) = requests(
        f'datasets = ["npc"]\nmodels = [{{ name = "km", options = {{ {toml} }} }}]', folder
    )

    typed = [f"{name}={format_value(value)}" for name, value in options.items()]
    assert found.settings == parse_assignments(typed)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"experiment.toml: the key 'datasets' is missing \(1 more\)"),
        (
            'dataset = ["npc"]\nmodels = ["km"]',
            r"no key is called 'dataset'. Did you mean 'datasets'\? Keys: datasets, models, track",
        ),
        (
            PAIR + "[protocol]\nfold = 3",
            r"no key is called 'fold' in \[protocol\]. Did you mean 'folds'\? Keys: folds, repeat",
        ),
        (
            'datasets = ["npc"]\nmodels = ["km", { name = "volume", optons = {} }]',
            r"no key is called 'optons' in \[\[models\]\] number 2. Did you mean 'options'\?",
        ),
        (
            'datasets = [{ data_root = "x" }]\nmodels = ["km"]',
            r"the key 'name' is missing in \[\[datasets\]\] number 1",
        ),
        (
            PAIR + "[protocol]\nfolds = '3'",
            r"'folds' in \[protocol\] must be a whole number >= 2, got '3'",
        ),
        (PAIR + "[protocol]\nfolds = 1", r"'folds' in \[protocol\] must be .* >= 2, got 1"),
        (
            PAIR + "[protocol]\nseeds = [0, 'x']",
            r"'seeds' in \[protocol\] must be a list of whole numbers, like \[0, 1\], got 'x'",
        ),
        (PAIR + "jobs = true", r"'jobs' must be a whole number >= 1, got True"),
        (PAIR + "protocol = 3", r"'protocol' must be a table, got 3"),
        (
            'datasets = "npc"\nmodels = ["km"]',
            r"'datasets' must be a list of names or \[\[datasets\]\] tables, got 'npc'",
        ),
        ('datasets = ["npc"]\nmodels = []', r"'models' must be a list of names or .*, got \[\]"),
        ('datasets = [3]\nmodels = ["km"]', r"'datasets' must be a list of names or .*, got 3"),
        (
            'datasets = ["npc"]\nmodels = [{ name = "km", options = 3 }]',
            r"'options' in \[\[models\]\] number 1: must be a table like { epochs = 20 }, got 3",
        ),
        (
            'datasets = ["npc"]\nmodels = [{ name = "km", options = { a = [{ b = 1 }] } }]',
            r"number 1: 'a' must be a boolean, a number, a text or a list of these, got {'b': 1}",
        ),
        (
            'datasets = ["npc"]\nmodels = [{ name = "km", training = { dataset = { b = 1 } } }]',
            r"'training' in .* 1: 'dataset' has no options here; only parts have: backbone, surviv",
        ),
        (
            PAIR + 'trackers = [{ name = "mlflow", option = {} }]',
            r"no key is called 'option' in \[\[trackers\]\] number 1. Did you mean 'options'\?",
        ),
        (
            'datasets = ["npc"]\nmodels = [{ name = "km", options = { a = ["b,c"] } }]',
            r"'a' is a list, so 'b,c' may not hold a comma",
        ),
        (
            'datasets = ["npc"]\nmodels = [{ name = "km", options = { "dataset.cases" = 3 } }]',
            r"'dataset' has no options here; only parts have: backbone, survival_network, head",
        ),
        ("datasets = [", r"experiment.toml is no TOML: .*end of document"),
        (PAIR + PAIR, r"experiment.toml is no TOML: .*line 3"),
    ],
)
def test_a_mistake_is_told_with_its_key_and_the_file(read, text, message):
    with pytest.raises(OptionError, match=message) as caught:
        read(text)

    assert "\n" not in str(caught.value)
    assert "experiment.toml" in str(caught.value)


def test_a_file_that_is_not_there_is_named_with_the_way_to_run_one_model(tmp_path):
    with pytest.raises(
        OptionError,
        match=r"experiment file .*deepmts does not exist; .*to run one model: --model NAME",
    ):
        read_experiment_file(tmp_path / "deepmts")


def test_a_folder_is_no_experiment_file(tmp_path):
    with pytest.raises(OptionError, match=r"cannot read experiment file .*: Is a directory"):
        read_experiment_file(tmp_path)


def test_a_file_that_is_no_text_is_refused(tmp_path):
    (tmp_path / "a.toml").write_bytes(b"\xff\xfe\x00")

    with pytest.raises(OptionError, match=r"a.toml is no text in UTF-8, as TOML must be: "):
        read_experiment_file(tmp_path / "a.toml")


def test_the_example_of_the_documentation_can_be_run(tmp_path):
    for package in ("mtsbench_cohorts", "mtsbench_deepmts", "mtsbench_radiomics"):
        pytest.importorskip(package)
    path = Path(__file__).parents[1] / "docs" / "experiment.toml"
    wanted = read_experiment_file(path)

    planned = plan_file(wanted.requests(path), load_components(), tmp_path, path)

    assert [one.request.model for one in planned] == ["km", "clinical-cox", "deepmts", "deepmts"]
    assert all(one.description.cases == 60 and one.todo == 3 for one in planned)
