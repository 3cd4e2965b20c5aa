"""A simulation of what may happen to the program in years: the real program, in virtual time, with drawn troubles."""
