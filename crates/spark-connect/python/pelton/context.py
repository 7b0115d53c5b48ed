"""`SparkContext` and `SparkConf` without a JVM: what of them has a meaning over Spark Connect."""

import os
import sys
import time
from urllib.parse import urlparse

from pyspark.errors import PySparkNotImplementedError, PySparkValueError

LEVELS = ("ALL", "TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL", "OFF")


def refused(what, instead):
    """The error for what only a JVM has."""
    parameters = {"feature": f"{what} (it works on RDDs, which Spark Connect does not have; {instead})"}
    return PySparkNotImplementedError(errorClass="NOT_IMPLEMENTED", messageParameters=parameters)


class SparkConf:
    """Settings by name."""

    def __init__(self, loadDefaults=True, _jvm=None, _jconf=None):
        self._conf = {}

    def set(self, key, value):
        self._conf[key] = str(value)
        return self

    def setIfMissing(self, key, value):
        self._conf.setdefault(key, str(value))
        return self

    def setMaster(self, value):
        return self.set("spark.master", value)

    def setAppName(self, value):
        return self.set("spark.app.name", value)

    def setSparkHome(self, value):
        return self.set("spark.home", value)

    def setExecutorEnv(self, key=None, value=None, pairs=None):
        for name, text in [(key, value)] if pairs is None else pairs:
            self.set(f"spark.executorEnv.{name}", text)
        return self

    def setAll(self, pairs):
        for key, value in pairs:
            self.set(key, value)
        return self

    def get(self, key, defaultValue=None):
        return self._conf.get(key, defaultValue)

    def getAll(self):
        return list(self._conf.items())

    def contains(self, key):
        return key in self._conf

    def toDebugString(self):
        return "\n".join(f"{key}={value}" for key, value in sorted(self._conf.items()))


class Broadcast:
    """A value that functions carry along: workers get it with the function."""

    def __init__(self, value):
        self.value = value

    def unpersist(self, blocking=False):
        pass

    def destroy(self, blocking=False):
        pass


class SparkContext:
    """The context of the session that there is, or that is made."""

    _active_spark_context = None

    def __init__(self, master=None, appName=None, *, conf=None, _session=None, **_):
        if _session is None:
            from pyspark.sql import SparkSession

            settings = SparkConf().setAll(conf.getAll() if conf is not None else [])
            if appName is not None:
                settings.setAppName(appName)
            if master is not None:
                settings.setMaster(master)
            _session = SparkSession.builder.config(conf=settings).getOrCreate()
        self._session = _session
        self.startTime = int(time.time() * 1000)
        self.environment = {}
        SparkContext._active_spark_context = self

    @classmethod
    def getOrCreate(cls, conf=None):
        active = cls._active_spark_context
        return active if active is not None and not active._session.is_stopped else cls(conf=conf)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def __repr__(self):
        return f"<SparkContext master={self.master} appName={self.appName}>"

    @property
    def appName(self):
        return self._session._pelton_options.get("spark.app.name", "pelton")

    @property
    def applicationId(self):
        return f"pelton-{self._session.session_id}"

    @property
    def master(self):
        return self._session._pelton_options.get("spark.master", "local[*]")

    @property
    def version(self):
        return self._session.version

    @property
    def pythonVer(self):
        return "%d.%d" % sys.version_info[:2]

    @property
    def pythonExec(self):
        return sys.executable

    @property
    def defaultParallelism(self):
        return os.cpu_count() or 1

    @property
    def defaultMinPartitions(self):
        return min(self.defaultParallelism, 2)

    @property
    def uiWebUrl(self):
        """The server's page, if `pelton submit` knows it."""
        return os.environ.get("PELTON_UI")

    @property
    def sparkHome(self):
        return None

    def sparkUser(self):
        return os.environ.get("USER", "")

    def getConf(self):
        return SparkConf().setAll({**self._session.conf.getAll, **self._session._pelton_options}.items())

    def setLogLevel(self, logLevel):
        """Checks the level: the server's log has its own, `PELTON_LOG`."""
        if str(logLevel).upper() not in LEVELS:
            parameters = {"arg_name": "logLevel", "allowed_values": ", ".join(LEVELS)}
            raise PySparkValueError(errorClass="VALUE_NOT_ALLOWED", messageParameters=parameters)

    def setCheckpointDir(self, dirName):
        """Nothing: only RDDs are kept there."""

    def setLocalProperty(self, key, value):
        """Nothing: there are no scheduler's pools."""

    def getLocalProperty(self, key):
        return None

    def setJobGroup(self, groupId, description, interruptOnCancel=False):
        self._session.addTag(groupId)

    def cancelJobGroup(self, groupId):
        self._session.interruptTag(groupId)

    def cancelAllJobs(self):
        self._session.interruptAll()

    def setJobDescription(self, value):
        """Nothing: nobody shows it."""

    def broadcast(self, value):
        return Broadcast(value)

    def addPyFile(self, path):
        self._session.addArtifacts(path, pyfile=True)

    def addFile(self, path, recursive=False):
        self._session.addArtifacts(path, file=True)

    def stop(self):
        self._session.stop()
        SparkContext._active_spark_context = None

    def __getattr__(self, name):
        if name.startswith("_"):
            raise AttributeError(name)
        raise refused(f"SparkContext.{name}", "use a DataFrame: spark.createDataFrame, spark.read, spark.range")


class StreamingContext:
    """Refused: DStreams are made of RDDs."""

    def __init__(self, *_, **__):
        raise refused("StreamingContext", "use Structured Streaming: spark.readStream")


def is_local(remote):
    """Whether the server is on this machine."""
    return urlparse(remote).hostname in ("localhost", "127.0.0.1", "::1")
