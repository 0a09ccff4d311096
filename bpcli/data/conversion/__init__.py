"""The conversion of a table of any size to numbers, piece by piece, in constant memory."""
