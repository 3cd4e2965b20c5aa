"""`ghtraffic setup`: inspects, plans, asks, and sets up a repository's collection."""
