"""The data of the demo, and the script that built them."""
