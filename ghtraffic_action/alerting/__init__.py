"""What a run reports to its operator: alerts, mails and the heartbeat's metrics."""
