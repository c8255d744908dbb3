"""A sensor that writes an e-mail for each run that failed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ipy_orch.authoring.sensors import run_failure_sensor
from ipy_orch.errors import CheckError
from ipy_orch.model.automation.run_sensors import RunStatusSensorDefinition
from ipy_orch.model.automation.sensors import DefaultSensorStatus

__all__ = ["make_email_on_run_failure_sensor"]

Text = Callable[[Any], str]
PORTS = {"SSL": 465, "STARTTLS": 587}


def usual_body(context: Any) -> str:
    """Return what went wrong."""
    run, event = context.dagster_run, context.failure_event
    return f"Job {run.job_name} failed.\nRun: {run.run_id}\nError: {event.message}\n"


def usual_subject(context: Any) -> str:
    """Return which job failed."""
    return f"Run failed: {context.dagster_run.job_name}"


def make_email_on_run_failure_sensor(
    email_from: str,
    email_password: str,
    email_to: Sequence[str],
    email_body_fn: Text = usual_body,
    email_subject_fn: Text = usual_subject,
    smtp_host: str = "smtp.gmail.com",
    smtp_type: str = "SSL",
    smtp_port: int | None = None,
    smtp_user: str | None = None,
    name: str | None = None,
    webserver_base_url: str | None = None,
    monitored_jobs: Sequence[Any] | None = None,
    job_selection: Sequence[Any] | None = None,
    monitor_all_code_locations: bool = False,
    default_status: DefaultSensorStatus = DefaultSensorStatus.STOPPED,
    monitor_all_repositories: bool = False,
) -> RunStatusSensorDefinition:
    """Return a sensor that writes an e-mail for each run that failed.

    Args:
        email_password: a secret: give ``os.environ["..."]``, not the text.
        email_body_fn: makes the text from a RunFailureSensorContext; ``email_subject_fn`` the subject.
        smtp_type: ``SSL`` or ``STARTTLS``.
        smtp_user: by default ``email_from``.
        webserver_base_url: of a server that shows runs: the text links to it.
        monitored_jobs: the jobs whose runs count; by default all.

    Raises:
        CheckError: when the addresses aren't a list, or the type of connection isn't known.
    """
    if isinstance(email_to, str):
        raise CheckError(f"`email_to` is a list of addresses, not the string {email_to!r}")
    if smtp_type not in PORTS:
        raise CheckError(f"`smtp_type` is SSL or STARTTLS, not {smtp_type!r}")

    def send(context: Any) -> None:
        import smtplib  # which most who import this package never need
        from email.message import EmailMessage

        message = EmailMessage()
        message["From"], message["To"] = email_from, ", ".join(email_to)
        message["Subject"] = email_subject_fn(context)
        link = f"\n{webserver_base_url}/runs/{context.dagster_run.run_id}\n" if webserver_base_url else ""
        message.set_content(email_body_fn(context) + link)
        port = smtp_port or PORTS[smtp_type]
        server = smtplib.SMTP_SSL(smtp_host, port) if smtp_type == "SSL" else smtplib.SMTP(smtp_host, port)
        with server:
            if smtp_type == "STARTTLS":
                server.starttls()
            server.login(smtp_user or email_from, email_password)
            server.send_message(message)

    made: RunStatusSensorDefinition = run_failure_sensor(
        name or "email_on_run_failure",
        monitored_jobs=monitored_jobs if monitored_jobs is not None else job_selection,
        monitor_all_code_locations=monitor_all_code_locations or monitor_all_repositories,
        default_status=default_status,
    )(send)
    return made
