"""`ghtraffic setup`: inspects, plans, asks, and sets up."""
