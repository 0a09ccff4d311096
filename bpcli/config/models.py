"""The config's shape: every key, its type, its bounds and its default."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias
from unicodedata import normalize

from pydantic import AfterValidator, Discriminator, Field, Tag, ValidationInfo, field_validator

from bpcli.config.data_models import Count
from bpcli.config.data_spec import DataSpec
from bpcli.config.named import Strict, keyed, named
from bpcli.config.parameters_spec import LayerParameters, ParametersFile
from bpcli.config.restart_spec import RestartCount, Restarts
from bpcli.config.sweep_spec import SweepSpec
from bpcli.data.generators import MOST_ROWS
from bpcli.metrics.metrics import METRICS
from bpcli.nn.activation import Activation
from bpcli.nn.activations import ACTIVATION_ALIASES, ACTIVATIONS
from bpcli.nn.initializers import INITIALIZERS, Initializer
from bpcli.nn.losses import LOSSES, Loss
from bpcli.nn.numerics import Numerics
from bpcli.optimizers import OPTIMIZER_ALIASES, OPTIMIZERS, GradientDescent, Optimizer
from bpcli.optimizers.schedules import SCHEDULES, LearningRate, Schedule
from bpcli.registry import name_of
from bpcli.text import NAMES, is_name, quoted
from bpcli.training.batches import Sampling
from bpcli.training.objective import Reduction
from bpcli.training.stopping import PlateauRule, Watched

if TYPE_CHECKING:
    ActivationSpec = Activation
    InitializerSpec = Initializer
    LossSpec = Loss
    OptimizerSpec = Optimizer
    ScheduleSpec = Schedule
    MetricName = str
else:
    ActivationSpec = named(
        "activation",
        ACTIVATIONS,
        {alias: {"name": name} for alias, name in ACTIVATION_ALIASES.items()},
    )
    InitializerSpec = named("initializer", INITIALIZERS, default="xavier_uniform")
    LossSpec = named("loss", LOSSES)
    OptimizerSpec = named("optimizer", OPTIMIZERS, OPTIMIZER_ALIASES, "gradient_descent")
    ScheduleSpec = keyed("schedule", SCHEDULES, "schedule")
    MetricName = Literal[tuple(METRICS)]

Units: TypeAlias = Annotated[int, Field(ge=1, le=MOST_ROWS)] | Literal["auto"]
BiasSpec: TypeAlias = bool | Literal["frozen"]
Weight: TypeAlias = Annotated[float, Field(gt=0)]


class NetworkSpec(Strict):
    """Layer sizes, activations, biases and the initial parameters."""

    layers: Annotated[list[Units], Field(min_length=2)] = Field(
        description="The number of units of each layer, the inputs first. The first and the last "
        "may be `auto`: taken from the data."
    )
    activations: Annotated[list[ActivationSpec], Field(min_length=1)] = Field(
        description="One activation per layer after the inputs."
    )
    bias: BiasSpec | list[BiasSpec] = Field(
        default=True,
        description="Whether layers have biases; `frozen` biases keep their initial values. One "
        "value for all layers, or a list with one per layer.",
    )
    init: InitializerSpec = Field(
        default=INITIALIZERS["xavier_uniform"](), description="How the parameters are initialised."
    )
    parameters: list[LayerParameters] | ParametersFile | None = Field(
        default=None,
        description="Explicit initial parameters instead of `init`, one entry per layer: "
        "[{weights: [[…]], bias: […]}, …]; or those of a network in a file: {file: net.m}.",
    )
    dtype: Literal["float64", "float32"] = Field(
        default="float64",
        description="The precision of training: `float64` has 15 digits, `float32` has 7 and needs "
        "half the memory.",
    )


class PlateauSpec(Strict):
    """Values that no longer improve."""

    tol: Annotated[float, Field(ge=0)] = Field(
        default=PlateauRule.tol,
        description="An epoch improves if its value is better than the best so far by at least "
        "this much.",
    )
    epochs: Count = Field(
        default=PlateauRule.epochs,
        description="Stop after more than this many consecutive epochs without an improvement.",
    )
    of: Watched = Field(
        default=PlateauRule.of,
        description="The value: `loss`, the minimised loss over the training set; `val_loss`, the "
        "validation loss; `val_score`, the accuracy or R² on the validation set.",
    )


class Stop(Strict):
    """Thresholds that end training before `epochs`."""

    goal: float | None = Field(
        default=None, description="Stop when the loss is at most this value."
    )
    min_grad: Annotated[float, Field(gt=0)] | None = Field(
        default=None,
        description="Stop when the Euclidean norm of the gradient is at most this value.",
    )
    max_fail: Count | None = Field(
        default=None,
        description="Stop after this many epochs without a new lowest validation loss.",
    )
    plateau: PlateauSpec | None = Field(
        default=None,
        description="Stop when a value no longer improves: {tol: 1e-4, epochs: 10, of: loss}. "
        "`{}` has these defaults.",
    )
    generalization_loss: Annotated[float, Field(gt=0)] | None = Field(
        default=None,
        description="Stop when the validation loss is this many percent above its lowest value at "
        "the end of a strip: 5 is PROBEN1's GL5.",
    )
    progress: Annotated[float, Field(gt=0)] | None = Field(
        default=None,
        description="Stop when the mean of the minimised loss over the epochs of a strip is at "
        "most this many per mille (1/1000) above its lowest value in the strip: 0.1 in PROBEN1.",
    )
    strip: Count = Field(
        default=5,
        description="A strip is this many consecutive epochs; `generalization_loss` and `progress` "
        "are checked at the end of each strip.",
    )
    max_seconds: Annotated[float, Field(gt=0)] | None = Field(
        default=None, description="Stop after this many seconds of training."
    )


class EverySeconds(Strict):
    """An interval in seconds."""

    seconds: Annotated[float, Field(gt=0)] = Field(
        description="Seconds between checkpoints; more if saving would take over 1 % of the time."
    )


def _rate_tag(value: Any) -> str:
    return "varying" if isinstance(value, dict | Schedule) else "constant"


RateSpec: TypeAlias = Annotated[
    Annotated[float, Field(gt=0), Tag("constant")] | Annotated[ScheduleSpec, Tag("varying")],
    Discriminator(_rate_tag),
]


def _default_learning_rate(training: dict[str, Any]) -> float | None:
    """The optimizer's, from the fields that come before `learning_rate`."""
    optimizer: Optimizer = training["optimizer"]
    return optimizer.default_rate(is_full_batch=training["batch_size"] == "full")


class Training(Strict):
    """The optimizer, its settings, and when training stops."""

    optimizer: OptimizerSpec = Field(
        default=GradientDescent(), description="The method that minimises the loss."
    )
    epochs: Annotated[int, Field(ge=0, le=10**12)] = Field(
        default=1000, description="The maximum number of passes over the training rows."
    )
    batch_size: Count | Literal["full"] = Field(
        default="full", description="Rows per update: all (`full`), or a number for mini-batches."
    )
    learning_rate: RateSpec | None = Field(
        default_factory=_default_learning_rate,
        description="The learning rate, or its schedule over the epochs. The default depends on "
        "the optimizer and on whether `batch_size` is `full`; most have no learning rate.",
    )
    reduction: Reduction = Field(
        default="mean",
        description="Whether the mean or the sum of the losses of the rows is minimised; `sum` is "
        "the mean times the number of rows, L2 term included.",
    )
    l2: Annotated[float, Field(ge=0)] = Field(
        default=0.0,
        description="Weight decay λ: adds λ/(2n) Σ W² over the weights, not the biases.",
    )
    class_weights: Literal["balanced"] | dict[str, Weight] | None = Field(
        default=None,
        description="`balanced`: all classes have equal influence; or one weight per class: "
        "{0: 1, 1: 2.5}, where other classes have weight 1.",
    )
    sampling: Sampling = Field(
        default="shuffle",
        description="How batches are drawn: `shuffle` takes each row once per epoch in a new "
        "order, `in_order` takes the rows as they stand, `random` draws with replacement.",
    )
    rows_per_epoch: Count | None = Field(
        default=None,
        description="Total rows in the batches of one epoch; null: the number of training rows.",
    )
    stop: Stop = Field(
        default=Stop.model_construct(),
        description="Conditions that stop training before `epochs`; the first one met stops it.",
    )
    restarts: RestartCount | Restarts = Field(
        default=1,
        description="The number of trainings from different initial parameters on the same "
        "split; the best one by validation loss is kept (without a validation set: "
        "by the minimised loss; with `bayesian_regularization`: by the evidence). "
        "{count: 20, combine: mean, keep: 5} keeps the average of the five best.",
    )
    calibration: Literal["temperature", "isotonic"] | None = Field(
        default=None,
        description="How the probabilities of classes or labels are calibrated after training, on "
        "the validation set. `temperature`: z of the output layer is divided by the number that "
        "gives the lowest log loss; no predicted class changes. `isotonic`: each probability is "
        "mapped by a rising curve, which needs 1,000 validation rows or more.",
    )
    workers: Count | Literal["auto"] = Field(
        default="auto",
        description="The number of processes that share the work. It affects the speed, never "
        "the results.",
    )
    engine: Literal["memory", "stream", "dask", "auto"] = Field(
        default="auto",
        description="Where the rows are during training. `memory`: in memory. `stream`: in "
        "their file, .npy or .parquet, of which a few megabytes are read at a time. "
        "`dask`: the same, by the workers of a Dask cluster. `auto`: in memory if "
        "they fit, else `stream`. It affects speed and memory, never the results.",
    )
    scheduler: str | None = Field(
        default=None,
        description="The address of the scheduler of a Dask cluster, such as tcp://10.0.0.1:8786, "
        "for `engine: dask`. null: a cluster of `workers` processes on this machine, which other "
        "machines cannot reach.",
    )
    numerics: Numerics = Field(
        default="native",
        description="Which processor instructions are used. `native`: the fastest of this machine. "
        "`portable`: only those that every x86-64 processor with AVX2 and FMA3 has, so that all of "
        "these processors give the same bits.",
    )
    record_params: bool = Field(
        default=False,
        description="Whether the parameters after every epoch are saved, in params_path.npy in the "
        "run's folder.",
    )
    tensorboard: bool = Field(
        default=False,
        description="Whether the numbers of metrics.jsonl are also written as event files for "
        "TensorBoard, in the folder tensorboard in the run's folder. It needs "
        '`pip install "bpcli[tensorboard]"`.',
    )
    log_every: Count | Literal["auto"] = Field(
        default="auto",
        description="Epochs between lines of metrics.jsonl. With a number, the progress display "
        "shows the epochs that have metrics.",
    )
    metrics_every: Count | Literal["auto"] = Field(
        default="auto",
        description="Epochs between lines of metrics.jsonl with metrics, which cost another pass "
        "over the rows. `auto`: the first 52 lines have them, and up to 200 of the others.",
    )
    checkpoint_every: Count | EverySeconds = Field(
        default=EverySeconds.model_construct(seconds=30.0),
        description="How often a checkpoint is saved: a number of epochs, or {seconds: 30}.",
    )

    @property
    def all_restarts(self) -> Restarts:
        """`restarts` in its long form."""
        given = self.restarts
        return given if isinstance(given, Restarts) else Restarts(count=given)

    @field_validator("learning_rate", mode="before")
    @classmethod
    def _a_number_or_a_schedule(cls, rate: Any) -> Any:
        if isinstance(rate, str | list):
            raise ValueError(
                f"found {quoted(rate)}, expected a number greater than 0, or a mapping with "
                "`schedule` and its options"
            )
        return rate

    @field_validator("learning_rate")
    @classmethod
    def _over_the_epochs(
        cls, rate: LearningRate | None, info: ValidationInfo
    ) -> LearningRate | None:
        """Fix the length of a schedule to `epochs`, so that extending a run does not change it."""
        if isinstance(rate, Schedule) and "epochs" in info.data:  # `epochs` is validated before
            return rate.over(info.data["epochs"])
        return rate

    @field_validator("learning_rate")
    @classmethod
    def _as_the_optimizer_has_it(
        cls, rate: LearningRate | None, info: ValidationInfo
    ) -> LearningRate | None:
        """Drop the rate, with a note, if the optimizer has none."""
        if rate is None or "optimizer" not in info.data:
            return rate
        if info.data["optimizer"].default_learning_rate is None:
            if info.context is not None:
                name = name_of(OPTIMIZERS, info.data["optimizer"])
                info.context.append(f"`{name}` has no learning rate: `learning_rate` is not used")
            return None
        return rate


_NAME_IN_SCHEMA = r"^[A-Za-z0-9\u0080-\uffff][A-Za-z0-9_.\u0080-\uffff-]{0,63}$"
"""The rules for names that an editor can check; JSON Schema has no pattern for any letter."""


def _a_name(text: str) -> str:
    text = normalize("NFC", text)
    if not is_name(text):
        raise ValueError(f"found {quoted(text)}, expected {NAMES}")
    return text


Seed: TypeAlias = Annotated[int, Field(ge=0, lt=2**63)]


def _own_seed(purpose: str) -> Any:
    return Field(
        default=None,
        exclude_if=lambda seed: seed is None,
        description=f"For {purpose}; default: `seed`.",
    )


class Seeds(Strict):
    """Seeds of single purposes, such as other initial parameters for the same split."""

    data: Seed | None = _own_seed("generated rows")
    split: Seed | None = _own_seed("random splits")
    init: Seed | None = _own_seed("the initial parameters")
    batches: Seed | None = _own_seed("the rows of mini-batches")


class Spec(Strict):
    """A complete config, validated."""

    name: Annotated[str, AfterValidator(_a_name)] = Field(
        description="The name of the runs; default: the file's name.",
        json_schema_extra={"pattern": _NAME_IN_SCHEMA},
    )
    seed: Seed = Field(
        default=0,
        description="The seed of the random numbers for data, split, initial parameters and "
        "batches, which are independent of each other.",
    )
    data: DataSpec = Field(
        description="The source of the rows: a `generator`, a `file`, or `inputs` and `targets`."
    )
    network: NetworkSpec = Field(description="Layer sizes, activations and initial parameters.")
    loss: LossSpec = Field(description="The function to minimise.")
    training: Training = Field(
        default=Training.model_construct(),
        description="The optimizer, its settings, and when training stops.",
    )
    metrics: Literal["auto"] | list[MetricName] = Field(
        default="auto",
        description="The metrics to report besides the loss; `auto`: the usual ones for the task.",
    )
    seeds: Seeds | None = Field(
        default=None,
        description="Separate seeds for single purposes, instead of `seed`: {init: 7} draws "
        "other initial parameters and keeps data and split.",
    )
    sweep: SweepSpec | None = Field(
        default=None,
        exclude=True,  # a run is one training, which this section does not change
        description="What `bpnet sweep` varies; other commands do not use it.",
    )

    @field_validator("sweep")
    @classmethod
    def _for_one_command(cls, sweep: SweepSpec | None, info: ValidationInfo) -> SweepSpec | None:
        if sweep is not None and info.context is not None:
            info.context.append("`sweep` is used by `bpnet sweep` only")
        return sweep

    @field_validator("metrics")
    @classmethod
    def _each_metric_once(cls, names: str | list[str]) -> str | list[str]:
        for name in names if isinstance(names, list) else ():
            if names.count(name) > 1:
                raise ValueError(f"`{name}` is listed more than once: name each metric once")
        return names
