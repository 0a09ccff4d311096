"""Tables and progress on a terminal. Views read records and never change them."""
