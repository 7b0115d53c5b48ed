"""Spark's side: `spark_job.py JOB`, JOB being the JSON that `spark.py` writes; the last line of its output is JSON."""

import json
import os
import sys
import time
from pathlib import Path

from pyspark.sql import SparkSession
from pyspark.sql import functions as f

JOB = json.loads(sys.argv[1])


def cpu_seconds(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_mb(pid):
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


spark = (
    SparkSession.builder.master("local[2]")
    .config("spark.jars", JOB["jars"])
    .config("spark.ui.enabled", "false")
    .config("spark.sql.shuffle.partitions", 2)
    .config("spark.sql.session.timeZone", "UTC")
    .config("spark.driver.bindAddress", "127.0.0.1")
    .config("spark.driver.host", "127.0.0.1")
    .config("spark.driver.memory", "4g")
    .getOrCreate()
)
spark.sparkContext.setLogLevel("ERROR")
jvm = spark._jvm.java.lang.ProcessHandle.current().pid()


def from_kafka():
    options = {
        "kafka.bootstrap.servers": JOB["address"],
        "subscribe": JOB["topic"],
        "startingOffsets": JOB["from"],
        "maxOffsetsPerTrigger": JOB["rows_per_batch"],
    }
    records = spark.readStream.format("kafka").options(**options).load()
    rows = records.select(f.from_json(f.col("value").cast("string"), JOB["columns"]).alias("row"))
    return rows.select("row.*")


def from_rate():
    return spark.readStream.format("rate-micro-batch").option("rowsPerBatch", JOB["rows_per_batch"]).load()


def query():
    rows = from_rate() if JOB["topic"] is None else from_kafka()
    if JOB["watermark"]:
        column, delay = JOB["watermark"]
        rows = rows.withWatermark(column, delay)
    rows.createOrReplaceTempView("source")
    for name, (_, count) in JOB["tables"].items():
        words = f.concat(f.lit("word "), f.col("id")).alias("word")
        spark.range(count).select(f.col("id").alias("key"), words).createOrReplaceTempView(name)
    found = spark.sql(JOB["sql"].format(events="source"))
    if JOB["distinct_on"]:
        found = found.dropDuplicates(JOB["distinct_on"])
    writer = found.writeStream.outputMode(JOB["mode"]).option("checkpointLocation", JOB["checkpoint"])
    if JOB["sink"] == "noop":
        return writer.format("noop").start()
    values = found.select(f.to_json(f.struct("*")).alias("value"))
    writer = values.writeStream.outputMode(JOB["mode"]).option("checkpointLocation", JOB["checkpoint"])
    writer = writer.format("kafka").option("kafka.bootstrap.servers", JOB["address"]).option("topic", JOB["sink"])
    return writer.start()


def standing(running):
    progress = running.lastProgress
    return (0, 0) if progress is None else (progress["batchId"] + 1, progress["numInputRows"])


def wait_for(running, batches):
    while running.isActive and standing(running)[0] < batches:
        time.sleep(0.2)
    if running.exception() is not None:
        raise running.exception()


def measured():
    """From the end of the first `skip` batches to that of `batches`."""
    began = time.monotonic()
    running = query()
    wait_for(running, JOB["skip"])
    first, before, at = standing(running)[0], cpu_seconds(jvm), time.monotonic()
    wait_for(running, JOB["batches"])
    last, after, end = standing(running)[0], cpu_seconds(jvm), time.monotonic()
    running.stop()
    return {
        "cpu": after - before,
        "seconds": end - at,
        "warm_up_seconds": at - began,
        "batches": last - first,
        "memory_mb": resident_mb(jvm),
    }


if JOB["run"] == "measure":
    print(json.dumps(measured()), flush=True)
else:
    running = query()
    wait_for(running, 1)
    print(json.dumps({"ready": True}), flush=True)
    # Until whoever started this closes our input.
    sys.stdin.read()
    running.stop()
