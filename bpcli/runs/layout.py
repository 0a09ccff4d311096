"""The names of the files in the folder of a run, and in that of a sweep."""

CONFIG = "config.yaml"
RESOLVED = "resolved.yaml"
RECORD = "run.json"
METRICS = "metrics.jsonl"
WEIGHTS = "weights.safetensors"
SPLIT = "split.npz"
PATH = "params_path.npy"
STARTS = ("start.json", "start.m", "start.mat", "start.onnx")
"""The copy of the file with the network that a training started from."""
TENSORBOARD = "tensorboard"
LOCK = "lock"

SWEEP = "sweep.json"
GIVEN = "given.yaml"
JOURNAL = "trainings.jsonl"
SETTINGS = "settings.jsonl"
TRAININGS = "trainings"
