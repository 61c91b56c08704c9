"""What the program does: sealing, delivering, watching, finding again. Knows neither Textual nor argparse."""
