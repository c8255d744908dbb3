"""Decorators of schedules and sensors: what they read from a function, and where they are written wrongly."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import pytest

import ipy_orch as dg
from ipy_orch.errors import CheckError

if TYPE_CHECKING:
    from email.message import EmailMessage


class Bucket(dg.ConfigurableResource[Any]):
    """Be a bucket."""

    name: str


def nothing() -> None:
    """Ask for nothing."""


def test_a_function_says_its_name_its_description_and_its_resources() -> None:
    """Also where annotations are strings, as in this file."""

    @dg.schedule("@daily", job_name="load")
    def daily(context: dg.ScheduleEvaluationContext, bucket: Bucket) -> None:
        """Load what came.

        Each day.
        """

    assert (daily.name, daily.required_resource_keys) == ("daily", {"bucket"})
    assert daily.description == "Load what came.\n\nEach day."
    assert daily.__doc__ is not None


def test_resources_are_said_in_one_way() -> None:
    """As arguments or by their keys."""

    def look(bucket: Bucket) -> None: ...

    with pytest.raises(CheckError, match="takes resources as arguments"):
        dg.sensor(job_name="load", required_resource_keys={"db"})(look)
    with pytest.raises(CheckError, match="is a set of strings"):
        dg.sensor(job_name="load", required_resource_keys="db")(nothing)


@pytest.mark.parametrize("decorator", [dg.asset_sensor, dg.multi_asset_sensor, dg.run_status_sensor])
def test_a_decorator_without_its_brackets_is_told(decorator: Any) -> None:
    """With how it's written."""
    with pytest.raises(dg.DagsterInvalidDefinitionError, match=f"@{decorator.__name__}\\(...\\)"):
        decorator(nothing)


def test_a_sensor_of_failures_may_be_written_without_brackets() -> None:
    """And with them."""
    assert dg.run_failure_sensor(nothing).run_status is dg.DagsterRunStatus.FAILURE
    assert dg.run_failure_sensor(name="tell")(nothing).name == "tell"


def test_an_email_tells_of_a_failed_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """Subject, error and link; the password goes to the server only."""
    sent: list[EmailMessage] = []

    class Server:
        """Stand for a server of e-mail: this is where the machine ends."""

        def __init__(self, host: str, port: int) -> None:
            assert (host, port) == ("mail.example", 465)

        def __enter__(self) -> Self:
            return self

        def __exit__(self, *_: object) -> None: ...

        def login(self, user: str, password: str) -> None:
            assert (user, password) == ("me@example.com", "s3cret")

        def send_message(self, message: EmailMessage) -> None:
            sent.append(message)

    monkeypatch.setattr("smtplib.SMTP_SSL", Server)

    @dg.op
    def explode() -> None:
        raise ValueError("too hot")

    @dg.job
    def oven() -> None:
        explode()

    tell = dg.make_email_on_run_failure_sensor(
        "me@example.com",
        "s3cret",
        ["you@example.com"],
        smtp_host="mail.example",
        webserver_base_url="https://runs.example",
    )
    with dg.instance_for_test() as instance:
        first = tell.evaluate_tick(dg.build_sensor_context(instance))
        run = oven.execute_in_process(instance=instance, raise_on_error=False)
        tell.evaluate_tick(dg.build_sensor_context(instance, cursor=first.cursor))
    (message,) = sent
    assert message["Subject"] == "Run failed: oven"
    text = message.get_content()
    assert "too hot" in text
    assert f"https://runs.example/runs/{run.run_id}" in text
    assert "s3cret" not in message.as_string()
    with pytest.raises(CheckError, match="list of addresses"):
        dg.make_email_on_run_failure_sensor("me@example.com", "x", "you@example.com")
