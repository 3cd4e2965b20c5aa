"""A simulation of years of use: the real program runs in virtual time and meets faults that a seed determines."""
