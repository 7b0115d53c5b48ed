"""Servers and topics for the tests."""

import itertools
import shutil

import pytest

from server import Server, binary

numbers = itertools.count(1)


def pytest_configure(config):
    if config.option.collectonly:
        return
    try:
        binary()
    except RuntimeError as error:
        raise pytest.UsageError(str(error)) from None
    if shutil.which("kcat") is None:
        raise pytest.UsageError("kcat is missing: install it with `apt-get install kcat`")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    """A failure shows what the server had to say."""
    report = (yield).get_result()
    if report.failed:
        for value in getattr(item, "funcargs", {}).values():
            if isinstance(value, Server) and value.log.exists():
                report.sections.append(("server log", value.log_tail()))


@pytest.fixture(scope="session")
def shared_server(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("shared")).start()
    yield server
    server.close()


@pytest.fixture
def server(shared_server):
    """A server that other tests use too: use a topic of your own, and leave it alive."""
    assert shared_server.alive(), f"a test before this one ended the server\n{shared_server.log_tail()}"
    return shared_server


@pytest.fixture
def own_server(tmp_path):
    """A server for one test, which may kill it."""
    server = Server(tmp_path).start()
    yield server
    server.close()


@pytest.fixture
def topic():
    """A name that no other test uses; nothing is created."""
    return f"topic-{next(numbers)}"


@pytest.fixture
def group():
    return f"group-{next(numbers)}"


@pytest.fixture
def admin(server):
    from kafka import KafkaAdminClient

    admin = KafkaAdminClient(bootstrap_servers=server.kafka)
    yield admin
    admin.close()


@pytest.fixture
def create(admin):
    """Creates a topic and waits until it can be used."""

    def create(name, partitions=1, configs=None):
        options = {"num_partitions": partitions, "replication_factor": 1, "configs": configs or {}}
        admin.create_topics({name: options}, wait_for_metadata=True)
        return name

    return create
