"""The demo: a believable company's library, example searches over it, and the program that shows them."""
