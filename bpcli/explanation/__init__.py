"""What a trained network does with its inputs: pure functions of arrays, in the user's units."""
