"""A stand-in of GitHub on loopback, for `ghtraffic demo`, the tests, the replay of a recording and the benchmarks."""

from ghtraffic_action.standin.invented import GeneratedTraffic
from ghtraffic_action.standin.recorded import RecordedTraffic, Row, Series, Traffic
from ghtraffic_action.standin.refusals import Answer, Refusal
from ghtraffic_action.standin.repositories import Repository
from ghtraffic_action.standin.server import Request
from ghtraffic_action.standin.standin import FakeGitHub

__all__ = [
    "Answer",
    "FakeGitHub",
    "GeneratedTraffic",
    "RecordedTraffic",
    "Refusal",
    "Repository",
    "Request",
    "Row",
    "Series",
    "Traffic",
]
