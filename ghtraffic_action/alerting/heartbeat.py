"""A run's metrics for the alarms in infra/."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from ghtraffic_action.report import Report
from ghtraffic_action.runtime import utc_now

NAMESPACE = "ghtraffic"


def measure(report: Report, now: datetime) -> dict[str, int]:
    """Return a run's metrics; a GitHub App has no TokenDaysLeft.

    A run that fails before it collects sends no metrics; the alarm treats missing data as a failure.
    """
    metrics = {
        "Collected": len(report.collected),
        "Refused": sum(not found.transient for found in report.failed),
        "LostDays": sum(found.lost_new or 0 for found in report.repositories),
    }
    if report.token_ends:
        metrics["TokenDaysLeft"] = max(0, (report.token_ends - now).days)
    return metrics


def embed(report: Report, function_name: str) -> dict[str, Any]:
    """Return a Lambda log line in CloudWatch's embedded metric format."""
    now = utc_now()
    metrics = measure(report, now)
    described = {
        "Namespace": NAMESPACE,
        "Dimensions": [["FunctionName"]],  # one a repository would cost dollars each
        "Metrics": [{"Name": name} for name in metrics],
    }
    about = {"Timestamp": int(now.timestamp() * 1000), "CloudWatchMetrics": [described]}
    return {"_aws": about, "FunctionName": function_name} | metrics


def send(report: Report) -> Report:
    """Send the metrics to CloudWatch, by store; a failure is added to the report's errors."""
    from ghtraffic_action import aws  # noqa: PLC0415 - boto3 is slow to import

    dimensions = [{"Name": "Store", "Value": report.store}]
    data = [
        {"MetricName": name, "Dimensions": dimensions, "Value": value}
        for name, value in measure(report, utc_now()).items()
    ]
    try:
        aws.client("cloudwatch").put_metric_data(Namespace=NAMESPACE, MetricData=data)
    except aws.ERRORS as error:
        return replace(report, errors=(*report.errors, f"heartbeat: {aws.explain(error, 'cloudwatch')}"))
    return report
