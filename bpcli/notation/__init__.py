"""The notation of the formulas of a network, for traces and for exports."""
