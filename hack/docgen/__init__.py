"""Pages of the documentation that are made from the code, and checks of all of them."""
