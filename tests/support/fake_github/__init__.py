"""A fake of GitHub on loopback: the demonstration's, with GraphQL, Apps, limits, faults and recorded traffic."""

from ghtraffic_action.demo.forms import Form, Replay, Truth, WholeForm, late_batch
from ghtraffic_action.demo.generated_traffic import WHOLE, GeneratedTraffic
from ghtraffic_action.demo.http_server import Request, Response
from ghtraffic_action.demo.traffic import PathRow, ReferrerRow, Row, Series, Traffic

from .catalogue import Catalogue, Release, Repository, newest_releases
from .forms import OLD, FormChange, OldForm, PlaceholderForm
from .github import FakeGitHub
from .recorded import RecordedTraffic
from .refusals import Answer, Refusal

__all__ = [
    "OLD",
    "WHOLE",
    "Answer",
    "Catalogue",
    "FakeGitHub",
    "Form",
    "FormChange",
    "GeneratedTraffic",
    "OldForm",
    "PathRow",
    "PlaceholderForm",
    "RecordedTraffic",
    "ReferrerRow",
    "Refusal",
    "Release",
    "Replay",
    "Repository",
    "Request",
    "Response",
    "Row",
    "Series",
    "Traffic",
    "Truth",
    "WholeForm",
    "late_batch",
    "newest_releases",
]
