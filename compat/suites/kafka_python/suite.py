"""kafka-python: the newest, the last 2.x, and the newest speaking the protocol of Kafka 0.10."""

import shutil
from pathlib import Path

import packages
import pytest_suite
from suite import Suite

HERE = Path(__file__).resolve().parent
COMPAT = HERE.parent.parent
CODECS = ("lz4==4.4.5", "python-snappy==0.7.3", "zstandard==0.25.0")
# So that compaction can be watched; Kafka looks every 15 seconds.
SETTINGS = {"log.cleaner.backoff.ms": 200}
NEWEST, LAST_2 = "3.0.12", "2.3.3"
# Kafka 4 has dropped what was old in 2.x; Pelton has not.
GONE = {"the cluster and its directories are described": "Kafka 4 no longer serves DescribeLogDirs v0"}
LEFT_OUT = {"test_sasl_integration, test_ssl_integration": "TLS and SASL come later"}
# As the tests' own server.properties has them.
OWN_SETTINGS = {"num.partitions": 4, "group.min.session.timeout.ms": 1000}
NOT_YET = {"test_admin_integration::test_create_describe_delete_acls": "access control lists come with a later version"}


def smoke(version, *arguments):
    def run(this):
        python = packages.python(f"kafka-python=={version}", *CODECS)
        this.tap([python, HERE / "smoke.py", this.address, *arguments], env={"PYTHONPATH": str(COMPAT)})

    return run


def own(this):
    """The integration tests of its source distribution, which know how to use a broker that runs already."""
    source = packages.python_source(f"kafka-python=={NEWEST}")
    python = packages.python(f"kafka-python=={NEWEST}", *CODECS, "pytest==9.2.0", "pytest-timeout==2.4.0", "pytest-mock==3.15.1")
    # Python has a package `test` of its own, which would hide the one without this file.
    (source / "test" / "__init__.py").touch()
    shutil.copy(HERE / "service.py", source / "test" / "service.py")
    environment = {"KAFKA_URI": f"kafka://{this.address}", "KAFKA_VERSION": "4.3.0", "PYTHONPATH": str(source)}
    # Any directory will do, since no broker is started from it.
    environment["KAFKA_ROOT"] = str(source)
    pytest_suite.run(this, python, source, "--timeout=120", "--ignore=test/integration/test_ssl_integration.py", "test/integration", env=environment)


SUITES = [
    Suite("kafka-python 3 smoke", NEWEST, smoke(NEWEST), settings=SETTINGS, quick=True, minutes=3),
    Suite("kafka-python 3 smoke as 0.10", NEWEST, smoke(NEWEST, "0.10.1"), settings=SETTINGS, quick=True, minutes=3, peer="3.9.1"),
    Suite("kafka-python 2 smoke", LAST_2, smoke(LAST_2), settings=SETTINGS, quick=True, minutes=3, known_on_peer=GONE),
    Suite("kafka-python 3 integration tests", NEWEST, own, settings=OWN_SETTINGS, minutes=15, left_out=LEFT_OUT, known=NOT_YET),
]
