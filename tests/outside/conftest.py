"""One sandbox for all tests, reset before each; clients whose every answer is checked."""

import boto3
import pytest
from botocore.config import Config

import shapes
from sandbox import Sandbox

#: Which operations were called with success, and which were refused, over all tests.
seen = {"good": set(), "bad": set()}


@pytest.fixture(scope="session")
def process():
    sandbox = Sandbox()
    yield sandbox
    sandbox.close()


@pytest.fixture
def sandbox(process):
    process.reset()
    process.post("products", product_code="abc", dimensions=["requests", "gb"])
    return process


@pytest.fixture
def client(sandbox):
    """Makes clients: `client("license-manager", task="a")`."""

    def make(service, task="a", region="us-east-1", keys=None, **config):
        options = {"retries": {"total_max_attempts": 1}, "parameter_validation": False}
        made = boto3.session.Session().client(
            service,
            region_name=region,
            endpoint_url=sandbox.address,
            config=Config(**options | config),
            **(sandbox.keys(task) if keys is None else keys),
        )
        watch(made)
        return made

    return make


def watch(client):
    """Checks each answer of this client against the model before botocore parses it."""
    service_id = client.meta.service_model.service_id.hyphenize()

    def check(operation_model, response_dict, **_):
        name, body = operation_model.name, response_dict["body"]
        if response_dict["status_code"] >= 300:
            seen["bad"].add(name)
            return
        seen["good"].add(name)
        is_query = client.meta.service_model.protocol == "query"
        check_body = shapes.defects_of_query if is_query else shapes.defects_of_json
        shape = operation_model.output_shape
        defects = check_body(shape, body) if shape is not None else [body] if body != b"{}" else []
        assert not defects, defects

    client.meta.events.register(f"before-parse.{service_id}", check)
