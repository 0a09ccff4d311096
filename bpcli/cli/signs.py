"""Characters that a terminal's encoding lacks, spelt in ASCII.

GBK and ASCII lack some of `λ/(2n) Σ W² → 0 …`; a `?` for each would make formulas and tables
unreadable. Letters lose their accents; a character without a spelling becomes a `?`.
"""

from __future__ import annotations

import codecs
import unicodedata

from bpcli.text import text_width

HANDLER = "bpnet-spelling"
"""The name of the handler of encoding errors that spells characters in ASCII."""

_SPELT = {
    "−": "-", "–": "-", "—": "-", "·": "*", "∘": "*", "×": "x", "±": "+-", "√": "sqrt",
    "²": "^2", "³": "^3", "ᵀ": "^T", "½": "1/2", "¼": "1/4", "°": " deg",
    "Σ": "sum", "∂": "d", "∇": "grad ", "≥": ">=", "≤": "<=", "≠": "!=", "≈": "~", "∞": "inf",
    "→": "->", "←": "<-", "⟵": "<-", "↑": "^", "↓": "v", "…": "...", "•": "*",
    "“": '"', "”": '"', "„": '"', "‘": "'", "’": "'", "µ": "u", "‖": "||",
    "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "Δ": "Delta", "ε": "epsilon",
    "η": "eta", "θ": "theta", "λ": "lambda", "μ": "mu", "π": "pi", "ρ": "rho", "σ": "sigma",
    "τ": "tau", "φ": "phi", "Φ": "Phi", "ß": "ss", "ø": "o", "æ": "ae",
    **dict.fromkeys("─━═╌╍╴╶╸╺", "-"), **dict.fromkeys("│┃║", "|"),
    **dict.fromkeys("┌┐└┘├┤┬┴┼╭╮╯╰╞╡╪", "+"), **dict.fromkeys("█▓▒░▀▄■▏▎▍▌▋▊▉", "#"),
}  # fmt: skip


def spelt(text: str) -> str:
    """The text in ASCII."""
    return "".join(map(_spelt, text))


def _spelt(sign: str) -> str:
    """Spell a character; without a spelling, keep its width, so that columns stay aligned."""
    body = unicodedata.normalize("NFKD", sign).encode("ascii", "ignore").decode()
    return _SPELT.get(sign) or (sign if sign.isascii() else body or "?" * text_width(sign))


def _handle(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return spelt(error.object[error.start : error.end]), error.end


codecs.register_error(HANDLER, _handle)
