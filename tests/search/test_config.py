"""The run's config: what it accepts, what it refuses and how it says so, and that it reads back as written."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from search.config.config import Config, config_hash, load_config, to_toml
from search.errors import InputError
from search.objectives import COST_NAMES, LOAD, NAMES
from search.variation.operators import OPERATORS

OPERATOR_NAMES = [row.name for row in OPERATORS]
DATA = '[data]\nsource = "iris"\n'

EVERYTHING = (
    """
[run]
seed = 4294967295
out = "results/all keys"
[data]
source = "iris"
target = 2
header = false
test_fraction = 0.3333333333333333
drop = ["a b", "c\\"d", "é"]
weight = "a count"
group = "a subject"
split = "a fold"
fairness_group = "a site"
missing = "median"
missing_indicator = true
thousands = "'"
decimal = ","
percent = true
sample_rows = 0
columns = {"a b" = "time hour", size = ["s", "m", "l"]}
[task]
kind = "classification"
loss = "squared"
class_weight = "balanced"
positive = "virginica"
[space]
activations = ["fermi", "sine", "identity"]
max_nodes = 2
max_depth = 30
max_arity = 1
generator = "reference"
[search]
population = 4
generations = 0
time = "1.5h"
threshold = "tuned"
rows = "all"
selection = "nsga3"
objectives = ["latency_s", "error_rate", "ram_bytes"]
folds = 20
inherit = false
pruned_share = 0.5
robust_radius = 0.3
retrain_survivors = true
[reference]
latency_s = 1e-7
error_rate = 1
[variation]
"""
    + "".join(f"{name} = {0.001 * i}\n" for i, name in enumerate(OPERATOR_NAMES))
    + """
[train]
optimizer = "nesterov"
learning_rate = 5e-324
schedule = "linear"
epochs = 0
batch_size = 1
patience = 7
precision = "float64"
weight_decay = 1e30
l1 = 0.02
group_l1 = 0.03
teacher_share = 0.0
teacher_temperature = 1.0
[hardware]
device = "some-board"
precision = "int8"
style = "table"
max_score_loss = 1.0
input = { default = "int16", a = "uint8/2" }
compiler = "gcc"
finetune_epochs = 5
[constraints]
energy_j = 0
ram_bytes = 2048
[compress]
prune = "taylor"
[signal]
hop = 1024
hops = [1024]
channels = ["accx"]
classes = ["rest"]
label = "end"
share = 1
rate_hz = 1e30
channel_names = ["accx"]
folders = ["subject", "class", ""]
subject_piece = 100
test_subjects = ["p1"]
background = "rest"
false_alarms_per_hour = 0
counts_per_unit = {accx = 1e30}
most_features = 10000
rejection = "envelope"
rejected_share = 0.49
[baselines]
models = ["cart", "linear"]
[energy]
watts_per_core = 1e30
watts_source = "meter"
grams_co2_per_kwh = 5e-324
co2_source = "grid"
[tracking]
mlflow = "sqlite:///runs.db"
tensorboard = true
wandb = true
"""
)

# Text of the file, overrides, and what the message must hold besides the name of the file.
REFUSED = [
    # Unknown sections and keys.
    (DATA + "[search]\npopulaton = 9", [], ["unknown key search.populaton", "retrain_survivors", "mean population?"]),
    (DATA + "[serch]\nfolds = 2", [], ["unknown section or key serch", "allowed: data, run", "mean search?"]),
    ("folds = 2\n" + DATA, [], ["unknown section or key folds", "did you mean search.folds?"]),
    (DATA + "epochs = 2", [], ["unknown key data.epochs", "allowed: source, target", "did you mean train.epochs?"]),
    (DATA + '"a\\nb" = 2', [], ["unknown key data.'a\\nb'"]),
    (DATA, ["search.populaton=9"], ["unknown key search.populaton", "mean population?", "--set search.populaton=9"]),
    (DATA, ["serch.folds=2"], ["unknown section or key serch", "mean search?"]),
    # Missing keys, and tables that are none.
    ("", [], ["data.source is missing", "a text in quotes"]),
    ("data = 3", [], ["data = 3 is not a table", "[data]"]),
    ("data = 3", ["data.source=iris"], ["data = 3 is not a table"]),
    (DATA + "[[run]]\nseed = 1", [], ["run = [{'seed': 1}] is not a table"]),
    (DATA + "[reference.error]\na = 1", [], ["reference.error = {'a': 1}", "a number > 0"]),
    # Types.
    ("[data]\nsource = 5", [], ["data.source = 5", "a text in quotes"]),
    (DATA + "target = 1.5", [], ["data.target = 1.5", "a text in quotes or a whole number"]),
    (DATA + "target = true", [], ["data.target = True"]),
    (DATA + 'header = "yes"', [], ["data.header = 'yes'", 'true or false or "auto"']),
    (DATA + "drop = [1]", [], ["data.drop = [1]", "a list, each entry a text in quotes"]),
    (DATA + 'drop = "a"', [], ["data.drop = 'a'", "a list"]),
    (DATA + "[search]\npopulation = 10.0", [], ["search.population = 10.0", "a whole number >= 4"]),
    (DATA + "[search]\nfolds = true", [], ["search.folds = True", "a whole number >= 1 and <= 20"]),
    (DATA + "[search]\ninherit = 1", [], ["search.inherit = 1", "true or false"]),
    (DATA + '[train]\nlearning_rate = "fast"', [], ["train.learning_rate = 'fast'", "a number > 0"]),
    (DATA + "[train]\nlearning_rate = 1979-05-27", [], ["train.learning_rate = datetime.date", "a number > 0"]),
    # Ranges.
    (DATA + "test_fraction = 0", [], ["data.test_fraction = 0", "> 0 and < 0.9"]),
    (DATA + "test_fraction = 0.9", [], ["data.test_fraction = 0.9", "> 0 and < 0.9"]),
    (DATA + "test_fraction = nan", [], ["data.test_fraction = nan"]),
    (DATA + "[run]\nseed = -1", [], ["run.seed = -1", ">= 0 and < 4294967296"]),
    (DATA + "[run]\nseed = 4294967296", [], ["run.seed = 4294967296"]),
    (DATA + "[space]\nmax_nodes = 1", [], ["space.max_nodes = 1", ">= 2"]),
    (DATA + "[space]\nmax_depth = 31", [], ["space.max_depth = 31", ">= 1 and <= 30"]),
    (DATA + "[space]\nmax_depth = 0", [], ["space.max_depth = 0"]),
    (DATA + "[space]\nmax_arity = 65", [], ["space.max_arity = 65", "<= 64"]),
    (DATA + "[space]\nmax_arity = 0", [], ["space.max_arity = 0"]),
    (DATA + "[search]\npopulation = 3", [], ["search.population = 3", ">= 4"]),
    (DATA + "[search]\ngenerations = -1", [], ["search.generations = -1", ">= 0"]),
    (DATA + "[search]\nfolds = 0", [], ["search.folds = 0"]),
    (DATA + "[search]\nfolds = 21", [], ["search.folds = 21"]),
    (DATA + "[train]\nlearning_rate = 0", [], ["train.learning_rate = 0"]),
    (DATA + "[train]\nlearning_rate = inf", [], ["train.learning_rate = inf"]),
    (DATA + "[train]\nepochs = -1", [], ["train.epochs = -1"]),
    (DATA + f"[train]\nepochs = {10**30}", [], ["train.epochs = 1000"]),
    (DATA + "[train]\nbatch_size = 0", [], ["train.batch_size = 0", ">= 1"]),
    (DATA + "[train]\npatience = -1", [], ["train.patience = -1"]),
    (DATA + "[train]\nweight_decay = -0.1", [], ["train.weight_decay = -0.1", ">= 0"]),
    (DATA + "[train]\nweight_decay = nan", [], ["train.weight_decay = nan"]),
    (DATA + "[reference]\nerror = 0", [], ["reference.error = 0", "> 0"]),
    (DATA + "[reference]\nerror = inf", [], ["reference.error = inf"]),
    (DATA + "[variation]\ncrossover = -1", [], ["variation.crossover = -1", ">= 0"]),
    (DATA + "[constraints]\nweights = -1", [], ["constraints.weights = -1", ">= 0"]),
    # Names.
    (DATA + '[train]\noptimizer = "adm"', [], ['train.optimizer = "adm"', "rmsprop", "did you mean adam?"]),
    (DATA + '[train]\noptimizer = "zzz"', [], ["allowed: adagrad, adam, adamw, learned_adam, learned_sgd, momentum"]),
    (DATA + '[train]\nschedule = "step"', [], ['train.schedule = "step"', "constant, cosine, linear"]),
    (DATA + '[train]\nprecision = "int8"', [], ['train.precision = "int8"', "float32, float64"]),
    (DATA + "[train]\nprecision = 32", [], ["train.precision = 32", '"float32", "float64"']),
    (DATA + '[task]\nkind = "regresion"', [], ['task.kind = "regresion"', "did you mean regression?"]),
    (DATA + '[task]\nloss = "absolute"', [], ["task.loss: 'absolute' is none of the losses: auto, squared, huber"]),
    (DATA + '[task]\nclass_weight = "equal"', [], ['task.class_weight = "equal"', "balanced, none"]),
    (DATA + '[space]\ngenerator = "our"', [], ['space.generator = "our"', "did you mean ours?"]),
    (DATA + '[search]\nselection = "nsga4"', [], ['search.selection = "nsga4"', "hypervolume, nsga2, nsga3"]),
    (DATA + '[hardware]\nprecision = "int5"', [], ["hardware.precision", "int5"]),
    (DATA + '[hardware]\nstyle = "loop"', [], ['hardware.style = "loop"', "straight, table"]),
    (
        DATA + '[hardware]\ncompiler = "icc"',
        [],
        ['hardware.compiler = "icc"', "clang, clang-O3, clang-Os, gcc, gcc-O3, gcc-Os"],
    ),
    (DATA + '[space]\nactivations = ["tanhh"]', [], ["space.activations", "'tanhh'", "fermi", "did you mean tanh?"]),
    (DATA + '[search]\nobjectives = ["eror"]', [], ["search.objectives", "'eror'", "energy_j", "did you mean error?"]),
    (DATA + "[reference]\nnodes = 5", [], ["reference", "'nodes'", "allowed: error, weights"]),
    (DATA + "[constraints]\nnods = 5", [], ["constraints", "'nods'", "did you mean nodes?"]),
    (DATA + '[search]\nobjectives = ["pinball"]', [], ["search.objectives: 'pinball' needs a level", "'pinball_0.5'"]),
    (DATA + "[constraints]\npinball_90 = 5", [], ["constraints: 'pinball_90' needs a level between 0 and 1"]),
    (DATA + "[constraints]\npinball_0.9 = 5", [], ["constraints.pinball_0 "]),
    (DATA + '[baselines]\nmodels = ["mlp_9"]', [], ["baselines.models", "'mlp_9'", "cart", "did you mean mlp_8?"]),
    (DATA + '[baselines]\nmodels = ["cart", "cart"]', [], ["baselines.models names one twice: cart, cart"]),
    (DATA + '[baselines]\nmodels = "cart"', [], ["baselines.models = 'cart'", "a list"]),
    (DATA + "[baselines]\nmodel = 1", [], ["unknown key baselines.model", "did you mean models?"]),
    (DATA + "[variation]\ncrosover = 1", [], ["variation", "'crosover'", "did you mean crossover?"]),
    # Lists and tables as a whole.
    (DATA + "[space]\nactivations = []", [], ["space.activations is empty"]),
    (DATA + '[space]\nactivations = ["tanh", "tanh"]', [], ["space.activations names one twice: tanh, tanh"]),
    (DATA + '[space]\nactivations = ["sigmoid", "fermi"]', [], ["space.activations names one twice"]),
    (DATA + "[search]\nobjectives = []", [], ["search.objectives is empty"]),
    (DATA + '[search]\nobjectives = ["error", "error"]', [], ["search.objectives names one twice: error, error"]),
    (
        DATA + "[variation]\n" + "\n".join(f"{name} = 0" for name in OPERATOR_NAMES),
        [],
        ["variation gives every operator"],
    ),
    *((DATA, [f'search.objectives=["error", "{name}"]'], [name, "hardware.device"]) for name in COST_NAMES),
    *((DATA, [f"constraints.{name}=1"], [name, "hardware.device"]) for name in COST_NAMES),
    # Not TOML.
    (DATA + "[run\nseed = 1", [], ["not TOML", "line 3"]),
    (DATA + DATA, [], ["not TOML"]),
]

# Overrides that are not of the form section.key=value; the message names them instead of the file.
BAD_OVERRIDES = ["seed=3", "run.seed", "run.seed.x=3", ".seed=3", "run.=3", "=3", "", "data.drop=[a", "run.out='x"]


def write(folder: Path, text: str, name: str = "my.toml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def refusal(path: Path, overrides: list[str] | None = None) -> str:
    with pytest.raises(InputError) as caught:
        load_config(path, overrides or ())
    message = str(caught.value)
    assert "\n" not in message
    return message


@pytest.mark.parametrize(("text", "overrides", "fragments"), REFUSED)
def test_a_bad_config_is_refused_in_one_line_that_names_file_key_and_what_is_allowed(
    tmp_path: Path, text: str, overrides: list[str], fragments: list[str]
) -> None:
    path = write(tmp_path, text)
    message = refusal(path, overrides)
    for fragment in (str(path), *fragments):
        assert fragment in message


@pytest.mark.parametrize("override", BAD_OVERRIDES)
def test_a_malformed_override_is_refused(tmp_path: Path, override: str) -> None:
    assert f"--set {override}: " in refusal(write(tmp_path, DATA), [override])


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    assert "no such config file" in refusal(tmp_path / "none.toml")
    assert "cannot be read" in refusal(tmp_path)
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    assert "cannot be read" in refusal(tmp_path / "binary.toml")


def test_the_defaults(tmp_path: Path) -> None:
    config = load_config(write(tmp_path, DATA))
    assert (config.run.seed, config.run.out) == (0, "results/my")
    assert (config.data.source, config.data.target, config.data.header, config.data.drop) == ("iris", "", "auto", ())
    assert config.data.test_fraction == 0.2
    assert config.space.activations == ("sigmoid", "tanh", "gaussian", "relu")
    assert (config.space.max_nodes, config.space.max_depth, config.space.max_arity) == (60, 5, 64)
    assert (config.search.population, config.search.generations, config.search.folds) == (100, 30, 4)
    assert (config.search.selection, config.search.objectives) == ("hypervolume", ("error", "weights"))
    assert (config.search.inherit, config.search.retrain_survivors) == (True, False)
    assert (config.train.optimizer, config.train.learning_rate, config.train.epochs) == ("adamw", 0.01, 20)
    assert (config.train.batch_size, config.train.patience, config.train.weight_decay) == (64, 0, "auto")
    assert (config.hardware.device, config.hardware.precision, config.hardware.style) == ("", "float32", "straight")
    assert config.reference == config.constraints == {}
    assert config.variation == {row.name: row.default_probability for row in OPERATORS}


def test_every_key_is_read_at_its_limits(tmp_path: Path) -> None:
    config = load_config(write(tmp_path, EVERYTHING))
    default = msgspec.to_builtins(load_config(write(tmp_path, DATA)))
    for section, table in msgspec.to_builtins(config).items():
        for key, value in table.items():
            # The time and early exits exclude other keys, and weights of rows exclude teachers and their temperature.
            teaching = (("train", "teachers"), ("train", "teacher_temperature"))
            excluded = (("data", "time"), *teaching, ("compress", "early_exit"))
            # Windows make rows of recordings, which have no columns for the keys of a table.
            of_series = {("signal", key) for key in ("windows", "target", "horizon", "lags", "one_class")}
            if (section, key) not in (("data", "source"), *of_series, *excluded):
                assert key not in default[section] or value != default[section][key], f"{section}.{key}"
    assert config.reference == {"latency_s": 1e-7, "error_rate": 1.0}
    assert config.constraints == {"energy_j": 0.0, "ram_bytes": 2048.0}
    assert config.data.drop == ("a b", 'c"d', "é")


@pytest.mark.parametrize("text", [DATA, EVERYTHING])
def test_a_config_as_run_reads_back_equal(tmp_path: Path, text: str) -> None:
    config = load_config(write(tmp_path, text))
    again = load_config(write(tmp_path, to_toml(config), "config.toml"))
    assert again == config
    assert config_hash(again) == config_hash(config)
    assert to_toml(again) == to_toml(config)
    for section, table in msgspec.to_builtins(config).items():
        assert f"[{section}]" in to_toml(config)
        assert all(f"\n{key} = " in to_toml(config) or f"[{section}.{key}]" in to_toml(config) for key in table)


def test_a_table_is_found_from_the_config_file_and_then_from_anywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "configs").mkdir()
    (tmp_path / "here").mkdir()
    path = write(tmp_path / "configs", '[data]\nsource = "../tables/a.csv"\n')
    monkeypatch.chdir(tmp_path / "here")
    config = load_config(path)
    assert config.data.source == str(tmp_path / "tables" / "a.csv")
    assert load_config(write(tmp_path / "here", to_toml(config))).data.source == config.data.source
    # On the command line a path is meant as the shell completes it.
    assert load_config(path, ["data.source=b.csv"]).data.source == str(tmp_path / "here" / "b.csv")
    for name in ("iris", "openml:61", "pima"):
        assert load_config(path, [f"data.source={name}"]).data.source == name


@pytest.mark.parametrize(
    ("override", "section", "key", "value"),
    [
        ("train.optimizer=sgd", "train", "optimizer", "sgd"),
        ('train.optimizer="sgd"', "train", "optimizer", "sgd"),
        (" train.epochs = 7 ", "train", "epochs", 7),
        ("train.learning_rate=1e-3", "train", "learning_rate", 0.001),
        ("search.inherit=false", "search", "inherit", False),
        ('search.objectives=["error", "nodes"]', "search", "objectives", ("error", "nodes")),
        ("data.target=3", "data", "target", 3),
        ("data.target=class # 1", "data", "target", "class # 1"),
        ("data.target=a=b", "data", "target", "a=b"),
        ("data.target=", "data", "target", ""),
        ("run.out=results/x", "run", "out", "results/x"),
    ],
)
def test_an_override_is_toml_or_a_bare_word(
    tmp_path: Path, override: str, section: str, key: str, value: object
) -> None:
    config = load_config(write(tmp_path, DATA), [override])
    assert getattr(getattr(config, section), key) == value


def test_overrides_reach_free_tables_and_the_last_one_wins(tmp_path: Path) -> None:
    path = write(tmp_path, DATA)
    config = load_config(path, ["reference.error=2", "variation.hoist=3", "run.seed=1", "run.seed=2"])
    defaults = {row.name: row.default_probability for row in OPERATORS}
    assert (config.reference, config.variation, config.run.seed) == ({"error": 2.0}, defaults | {"hoist": 3.0}, 2)
    config = load_config(path, ["run.seed=1", "run.out=a"], seed=5, out="b")
    assert (config.run.seed, config.run.out) == (5, "b")
    with pytest.raises(InputError, match=r"run\.seed = -1"):
        load_config(path, seed=-1)


def test_the_hash_is_of_everything_but_the_folder(tmp_path: Path) -> None:
    path = write(tmp_path, DATA)
    plain = config_hash(load_config(path))
    assert len(plain) == 64
    assert config_hash(load_config(path, out="elsewhere")) == plain
    others = ["run.seed=1", "data.target=0", "train.epochs=21", "reference.error=1", "space.max_nodes=61"]
    assert len({plain, *(config_hash(load_config(path, [other])) for other in others)}) == len(others) + 1
    pair = ["reference.error=1", "reference.weights=2"]
    assert config_hash(load_config(path, pair)) == config_hash(load_config(path, pair[::-1]))


def test_every_objective_is_accepted_by_name(tmp_path: Path) -> None:
    path = write(
        tmp_path, DATA + '[hardware]\ndevice = "some-board"\nprecision = "int8"\n[compress]\nearly_exit = true\n'
    )
    of_recordings = ["signal.windows=[64]", "compress.early_exit=false"]
    for name in NAMES:
        others = of_recordings if name == LOAD else []
        assert load_config(path, [f'search.objectives=["{name}"]', *others]).search.objectives == (name,)


def test_a_config_cannot_be_changed(tmp_path: Path) -> None:
    config: Config = load_config(write(tmp_path, DATA))
    with pytest.raises(AttributeError):
        config.run.seed = 3  # type: ignore[misc]


def test_importing_the_config_is_light() -> None:
    code = (
        "import search.config.config, sys; print([name for name in ('jax', 'sklearn', 'scipy') if name in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_a_device_profile_of_the_user_s_counts_from_the_config_file(tmp_path: Path) -> None:
    path = write(tmp_path, DATA + '[hardware]\ndevice = "board.toml"')
    assert load_config(path).hardware.device == str(tmp_path / "board.toml")
    assert load_config(path, ["hardware.device=desktop"]).hardware.device == "desktop"


OLD_HASH = "94ff9b1ec5c8026f257e0a335e002cd09adc905217e3018704efcfd41af2453a"  # made by commit ecdbd51


def test_a_key_that_was_added_later_leaves_the_hashes_of_older_runs_alone(tmp_path: Path) -> None:
    path = tmp_path / "old.toml"
    path.write_text('[data]\nsource = "iris"\n[train]\noptimizer = "adam"\nweight_decay = 0.0\n')
    with path.open("a") as file:
        file.write("[baselines]\nmodels = []\n")  # the defaults of old
    assert config_hash(load_config(path)) == OLD_HASH
    assert config_hash(load_config(path, ["search.pruned_share=0.5"])) != OLD_HASH
    assert config_hash(load_config(path, ["search.folds=3"])) != OLD_HASH
