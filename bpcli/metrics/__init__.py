"""Numbers that are reported: metrics, their intervals, and what a script may require of them."""
