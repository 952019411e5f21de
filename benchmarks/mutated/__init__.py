"""Owns what breaks valid inputs at random, and what judges how the program bore it.

Begin with `case`: a case is a seed, from which the file, what is done to it and the command line follow.
"""
