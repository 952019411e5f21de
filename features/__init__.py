"""What is known of a line: the data contract, history, and the feature blocks."""
