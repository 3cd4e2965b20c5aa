"""`python -m ghtraffic_action`: the command line."""

from ghtraffic_action.cli import run_and_exit

if __name__ == "__main__":
    run_and_exit()
