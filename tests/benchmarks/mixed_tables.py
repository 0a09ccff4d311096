"""Tables with gaps and categories on which starter configs are judged: real ones, and drawn ones.

Each drawn table has a known law and noise, so that no model is right in every row.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

_ROWS_OF_ADULT = 10_000


def _names(text: str) -> list[str]:
    return text.split()


_ADULT = _names(
    "age workclass fnlwgt education education_num marital_status occupation relationship race sex "
    "capital_gain capital_loss hours_per_week native_country income"
)

_ABALONE = _names("sex length diameter height whole shucked viscera shell rings")

_WINE = _names(
    "fixed_acidity volatile_acidity citric_acid residual_sugar chlorides free_sulfur total_sulfur "
    "density pH sulphates alcohol quality"
)

_IRIS = _names("sepal_length sepal_width petal_length petal_width species")


def real_tables(folder: Path) -> dict[str, pd.DataFrame]:
    """The tables of `folder`, by name; of adult every third row."""
    adult = pd.read_csv(folder / "adult.csv", names=_ADULT, skipinitialspace=True, na_values="?")
    adult = adult.sample(_ROWS_OF_ADULT, random_state=0).reset_index(drop=True)
    white = pd.read_csv(folder / "winequality-white.csv", names=_WINE, sep=None, engine="python")
    return {
        "adult": adult,
        "wine": white,
        "abalone": pd.read_csv(folder / "abalone.csv", names=_ABALONE),
        "iris": pd.read_csv(folder / "iris.csv", names=_IRIS),
    }


def _with_gaps(
    frame: pd.DataFrame, rng: np.random.Generator, fractions: dict[str, float]
) -> pd.DataFrame:
    for name, fraction in fractions.items():
        frame.loc[rng.random(len(frame)) < fraction, name] = None
    return frame


def _sigmoid(z: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-z))


def titanic(rng: np.random.Generator, rows: int = 891) -> pd.DataFrame:
    """Survived, from sex, class and age with an interaction; ids, names, gaps."""
    sex, pclass = rng.random(rows) < 0.35, rng.choice([1, 2, 3], rows, p=[0.24, 0.21, 0.55])
    age = np.clip(rng.normal(30, 14, rows), 0.5, 80).round(1)
    fare = np.exp(rng.normal(4.6 - 0.75 * pclass, 0.5)).round(2)
    z = 0.6 + 2.6 * sex - 0.9 * (pclass - 1) - 0.9 * sex * (pclass == 3) + 1.5 * (age < 10)
    frame = pd.DataFrame(
        {
            "PassengerId": np.arange(1, rows + 1),
            "Survived": (rng.random(rows) < _sigmoid(z - 1)).astype(int),
            "Pclass": pclass,
            "Name": [f"Passenger, Mr. {i}" for i in range(rows)],
            "Sex": np.where(sex, "female", "male"),
            "Age": age,
            "SibSp": rng.poisson(0.5, rows),
            "Fare": fare,
            "Embarked": rng.choice(["S", "C", "Q"], rows, p=[0.72, 0.19, 0.09]),
        }
    )
    return _with_gaps(frame, rng, {"Age": 0.2, "Embarked": 0.003})


def houses(rng: np.random.Generator, rows: int = 1200) -> pd.DataFrame:
    """A price that is a product of area, district and age."""
    districts = np.array([f"district {c}" for c in "ABCDEFGHIJKL"])
    district = rng.integers(0, 12, rows)
    area, built = np.exp(rng.normal(4.6, 0.4, rows)).round(), rng.integers(1920, 2024, rows)
    garage = rng.choice(["none", "single", "double"], rows)
    level = 1500 * np.exp(0.08 * (district - 6) - 0.004 * (2024 - built))
    price = level * area + 9000 * (garage == "single") + 21_000 * (garage == "double")
    frame = pd.DataFrame(
        {
            "area": area,
            "rooms": np.clip((area / 28 + rng.normal(0, 0.7, rows)).round(), 1, None),
            "district": districts[district],
            "built": built,
            "garage": garage,
            "heating": rng.choice(["gas", "oil", "district", "heat pump"], rows),
            "price": (price * np.exp(rng.normal(0, 0.12, rows))).round(-2),
        }
    )
    return _with_gaps(frame, rng, {"rooms": 0.04, "built": 0.12, "heating": 0.06})


def churn(rng: np.random.Generator, rows: int = 3000) -> pd.DataFrame:
    """Churn of one customer in four, by contract, tenure and charges."""
    contract = rng.choice(["Month-to-month", "One year", "Two year"], rows, p=[0.55, 0.21, 0.24])
    tenure, charges = rng.integers(0, 73, rows), rng.uniform(18, 119, rows).round(2)
    monthly = contract == "Month-to-month"
    z = -1.3 + 1.6 * monthly - 0.035 * tenure + 0.018 * (charges - 60)
    frame = pd.DataFrame(
        {
            "customerID": [f"{i * 7919 % 9973:04d}-{i:05d}" for i in range(rows)],
            "tenure": tenure,
            "contract": contract,
            "payment": rng.choice(["card", "transfer", "check", "electronic check"], rows),
            "paperless": rng.choice(["Yes", "No"], rows),
            "MonthlyCharges": charges,
            "TotalCharges": (charges * tenure * rng.uniform(0.9, 1.1, rows)).round(2),
            "Churn": np.where(rng.random(rows) < _sigmoid(z), "Yes", "No"),
        }
    )
    return _with_gaps(frame, rng, {"TotalCharges": 0.01, "payment": 0.03, "MonthlyCharges": 0.05})


def concrete(rng: np.random.Generator, rows: int = 500) -> pd.DataFrame:
    """A strength by the ratio of water to cement and the age: smooth, with interactions."""
    cement, water = rng.uniform(100, 540, rows), rng.uniform(120, 250, rows)
    slag, ash = rng.uniform(0, 350, rows), rng.uniform(0, 200, rows) * (rng.random(rows) < 0.5)
    age = rng.choice([3, 7, 14, 28, 56, 90, 180], rows)
    grade = rng.choice(["CEM I", "CEM II", "CEM III"], rows)
    binder = cement + 0.7 * slag + 0.3 * ash
    strength = 18 * np.log1p(age) ** 0.7 * (binder / water) ** 0.9 * (1 + 0.1 * (grade == "CEM I"))
    frame = pd.DataFrame(
        {
            "cement": cement.round(1),
            "slag": slag.round(1),
            "ash": ash.round(1),
            "water": water.round(1),
            "grade": grade,
            "age": age,
            "strength": (strength * rng.normal(1, 0.06, rows)).round(2),
        }
    )
    return _with_gaps(frame, rng, {"slag": 0.05, "water": 0.05, "grade": 0.05})


def reactor(rng: np.random.Generator, rows: int = 150) -> pd.DataFrame:
    """A yield with an optimum of the temperature, of few rows."""
    temperature, pressure = rng.uniform(20, 90, rows), rng.uniform(1, 9, rows)
    catalyst = rng.choice(["none", "Pt", "Pd"], rows)
    best = 50 + 10 * (catalyst == "Pt")
    gain = 1 + 0.5 * (catalyst == "Pt") + 0.3 * (catalyst == "Pd")
    yields = 60 * gain * np.exp(-(((temperature - best) / 22) ** 2)) * np.sqrt(pressure / 9)
    frame = pd.DataFrame(
        {
            "temperature": temperature.round(1),
            "pressure": pressure.round(2),
            "catalyst": catalyst,
            "stirred": rng.choice([True, False], rows),
            "yield": (yields + rng.normal(0, 2.5, rows)).round(2),
        }
    )
    return _with_gaps(frame, rng, {"pressure": 0.08, "catalyst": 0.04})


def birds(rng: np.random.Generator, rows: int = 600) -> pd.DataFrame:
    """Eight species of unequal numbers, by overlapping measures and a habitat."""
    species = rng.choice(8, rows, p=[0.3, 0.2, 0.15, 0.1, 0.1, 0.07, 0.05, 0.03])
    centres = np.random.default_rng(5).normal(0, 1.3, (8, 4))
    X = centres[species] + rng.normal(0, 0.8, (rows, 4))
    habitat = np.where(rng.random(rows) < 0.7, species % 3, rng.integers(0, 3, rows))
    frame = pd.DataFrame(X.round(2) * [4, 9, 1.5, 30] + [40, 110, 12, 240]).round(1)
    frame.columns = ["wing", "weight", "beak", "tail"]
    frame["habitat"] = np.array(["wood", "field", "shore"])[habitat]
    frame["species"] = np.array(_names("wren tit finch robin dunlin swift stint knot"))[species]
    return _with_gaps(frame, rng, {"wing": 0.05, "weight": 0.12, "habitat": 0.05})


DRAWN: dict[str, Callable[[np.random.Generator], pd.DataFrame]] = {
    "titanic": titanic,
    "houses": houses,
    "churn": churn,
    "concrete": concrete,
    "reactor": reactor,
    "birds": birds,
}
