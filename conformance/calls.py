"""Helpers for tests that call operations through boto3: refusals as data, and what was called."""

import pathlib
import re

import pytest
from botocore.exceptions import ClientError

SOURCE = pathlib.Path(__file__).resolve().parent.parent / "crates"


def plain(answer):
    """An answer without what differs from call to call."""
    return {name: value for name, value in answer.items() if name != "ResponseMetadata"}


def status(answer):
    return answer["ResponseMetadata"]["HTTPStatusCode"]


def fill(value, names):
    """`value` with each "<name>" in its strings replaced by names["name"]."""
    if isinstance(value, str):
        return re.sub(r"<(\w+)>", lambda match: names[match[1]], value)
    if isinstance(value, dict):
        return {fill(key, names): fill(item, names) for key, item in value.items()}
    if isinstance(value, list):
        return [fill(item, names) for item in value]
    return value


def refused(call, code, part="", expect=400):
    """Asserts that `call()` is refused with this code, this status and these words. Where AWS's
    code is not known, `code` is None."""
    with pytest.raises(ClientError) as caught:
        call()
    error = caught.value.response["Error"]
    found = caught.value.response["ResponseMetadata"]["HTTPStatusCode"]
    assert (error["Code"] if code else None, found) == (code, expect), error
    assert part in error["Message"], error["Message"]
    return caught.value.response


def rows(table):
    """A table of refusals as parameters of a test: (operation, arguments, code, status, part)."""
    names = [f"{number}-{row[0]}" for number, row in enumerate(table)]
    return pytest.mark.parametrize("row", table, ids=names)


def check_refusal(loose, row, names):
    """Runs one row of such a table. `loose` is a client that does not check parameters itself."""
    operation, arguments, code, expect, part = row
    arguments = fill(arguments, names)
    refused(lambda: getattr(loose, operation)(**arguments), code, fill(part, names), expect)


def built_operations(service):
    """The operations of a service that the source registers."""
    path = {
        "cloudformation": "deploy/src/operations/mod.rs",
    }.get(service, f"control/src/{service}/mod.rs")
    text = (SOURCE / path).read_text()
    return set(re.findall(r"^\s*(?:read|write) (\w+)\s*=>", text, re.MULTILINE))


def assert_all_called(service, recorded, request):
    """Fails when the source registers an operation that this module did not call.

    Says nothing when only a part of the module runs.
    """
    module = request.module
    wanted = {name for name in vars(module) if name.startswith("test_")}
    running = {
        item.originalname for item in request.session.items if item.module is module
    }
    if wanted - running:
        pytest.skip("only a part of this module runs")
    called = {operation for name, operation in recorded if name == service}
    assert built_operations(service), "the table of operations was not found"
    assert built_operations(service) - called == set(), "operations without a test"
