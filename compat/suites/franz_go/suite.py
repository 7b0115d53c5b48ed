"""franz-go: our smoke, and kgo's own tests as its module carries them."""

from pathlib import Path

import gotest
import packages
from suite import Suite

HERE = Path(__file__).resolve().parent
MODULE, VERSION = "github.com/twmb/franz-go", "v1.22.2"
# The tests that talk to a broker; the others of the package judge the client alone.
WITH_BROKER = (
    "TestClient_Produce|TestIssue|TestConsume|TestGroup[ES]|TestTxn|Test848Regex|TestDirect|TestAddRemove|TestPause"
    "|TestPooling|TestHookPoll|TestPing|TestLookback|TestShareGroup|TestPollWait|TestProcessHooks"
)

KNOWN = {"Test848RegexBrokerResolves": "a pattern of the server's does not match internal topics; Kafka's does"}


def smoke(this):
    this.tap([packages.go_program(HERE), this.address])


def own(this):
    source = packages.go_module(MODULE, VERSION) / "pkg" / "kgo"
    # A tenth of the records that its authors use, so that two cores are done within minutes; one broker, one replica.
    environment = {"KGO_SEEDS": this.address, "KGO_TEST_RF": "1", "KGO_TEST_RECORDS": "50000", "KGO_LOG_LEVEL": "none"}
    gotest.run(this, source, "-timeout=25m", f"-run={WITH_BROKER}", ".", env=environment)


SUITES = [
    Suite("franz-go smoke", VERSION, smoke, ("go",), quick=True, minutes=5),
    Suite("franz-go kgo tests", VERSION, own, ("go",), minutes=27, known=KNOWN),
]
