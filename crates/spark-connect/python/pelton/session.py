"""Teaches PySpark's Spark Connect client what scripts for classic Spark say."""

import os
import sys
import types

import pyspark
from pyspark.sql import SparkSession
from pyspark.sql.connect.session import SparkSession as RemoteSession

from pelton.context import Broadcast, SparkConf, SparkContext, StreamingContext, is_local


def install():
    """Changes the classes in place, before a script imports them."""
    contexts()
    sessions()
    builder()


def contexts():
    """`from pyspark import SparkContext, SparkConf`, and a word for DStreams."""
    pyspark.SparkContext, pyspark.SparkConf, pyspark.Broadcast = SparkContext, SparkConf, Broadcast
    module("pyspark.context", SparkContext=SparkContext)
    module("pyspark.broadcast", Broadcast=Broadcast)
    module("pyspark.streaming", StreamingContext=StreamingContext)
    sys.modules["pyspark.conf"].SparkConf = SparkConf


def module(name, **contents):
    made = types.ModuleType(name)
    made.__dict__.update(contents)
    sys.modules[name] = made
    setattr(pyspark, name.rsplit(".", 1)[1], made)


def sessions():
    """`spark.sparkContext`, `spark.newSession()`, `SparkSession(sc)`."""

    def spark_context(self):
        if "_pelton_context" not in self.__dict__:
            self._pelton_context = SparkContext(_session=self)
        return self._pelton_context

    def new_session(self):
        return RemoteSession(connection=os.environ["SPARK_REMOTE"])

    def made(cls, sparkContext=None, jsparkSession=None, options=None):
        return sparkContext._session if isinstance(sparkContext, SparkContext) else object.__new__(cls)

    RemoteSession._pelton_options = {}
    RemoteSession.sparkContext = property(spark_context)
    RemoteSession.newSession = new_session
    SparkSession.__new__ = made


def builder():
    """`.master(...)` is no contradiction to the server, and the server's workers are of the script's Python."""
    cls = SparkSession.Builder
    create = cls.getOrCreate

    def get_or_create(self):
        remote = self._options.get("spark.remote", os.environ.get("SPARK_REMOTE", ""))
        if is_local(remote):
            self._options.setdefault("spark.pyspark.python", sys.executable)
        session = create(self)
        # What a server does not let a script change, the script may still ask for.
        session._pelton_options = {**session._pelton_options, **self._options}
        return session

    cls.getOrCreate = get_or_create
    cls._validate_startup_urls = lambda self: None
