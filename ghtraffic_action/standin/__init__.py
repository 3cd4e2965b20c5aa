"""A stand-in of GitHub on loopback, for `ghtraffic demo`, the tests, the replay of a recording and the benchmarks."""

from ghtraffic_action.standin.invented import Invented
from ghtraffic_action.standin.recorded import Recorded, Row, Series, Traffic
from ghtraffic_action.standin.refusals import Answer, Refusal
from ghtraffic_action.standin.repositories import Repository
from ghtraffic_action.standin.server import Request
from ghtraffic_action.standin.standin import StandIn

__all__ = [
    "Answer",
    "Invented",
    "Recorded",
    "Refusal",
    "Repository",
    "Request",
    "Row",
    "Series",
    "StandIn",
    "Traffic",
]
