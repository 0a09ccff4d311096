"""bpnet: fully connected networks trained by full-batch back-propagation, on numpy.

These names are the public ones. Each is imported when it is first used: importing this package
loads nothing else. `bpcli.cli.main` is the command line.
"""

from bpcli.version import __version__

TYPE_CHECKING = False  # as `typing` has it, whose import would take longer than this one
if TYPE_CHECKING:
    from bpcli.api.configs import load_config
    from bpcli.api.gradcheck import gradcheck
    from bpcli.api.network import Network
    from bpcli.api.run import Run, load_run
    from bpcli.api.training import train
    from bpcli.errors import (
        BpnetError,
        BpnetWarning,
        ConfigError,
        DataError,
        Diverged,
        RunError,
    )
    from bpcli.estimators.classifier import BPClassifier
    from bpcli.estimators.regressor import BPRegressor

__all__ = [  # noqa: RUF022  # in the order of the handbook
    "load_config",
    "train",
    "load_run",
    "Run",
    "gradcheck",
    "Network",
    "BPClassifier",
    "BPRegressor",
    "BpnetError",
    "ConfigError",
    "DataError",
    "RunError",
    "Diverged",
    "BpnetWarning",
    "__version__",
]

_MODULES = {
    "load_config": "api.configs",
    "train": "api.training",
    "load_run": "api.run",
    "Run": "api.run",
    "gradcheck": "api.gradcheck",
    "Network": "api.network",
    "BPClassifier": "estimators.classifier",
    "BPRegressor": "estimators.regressor",
    "BpnetError": "errors",
    "ConfigError": "errors",
    "DataError": "errors",
    "RunError": "errors",
    "Diverged": "errors",
    "BpnetWarning": "errors",
}


def __getattr__(name: str) -> object:
    """Import a public name at its first use, and keep it."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value: object = getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
