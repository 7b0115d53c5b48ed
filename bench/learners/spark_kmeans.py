"""MLlib's streaming k-means over batches that Spark already holds; runs in the environment that has PySpark.

    python spark_kmeans.py '{"data": "rows.csv", "k": 5, "batch": 10000, "decay": 0.9}'

The rows are put into one partition per batch, cached, before the clock starts; Python only says when. What counts is
the processor time of the whole virtual machine, since MLlib's work is spread over its threads; a first pass over copies
of all batches, which is not counted, lets it compile. The centres begin with the first rows. One line of JSON.
"""

import json
import os
import sys
import tempfile

from pyspark.sql import SparkSession


def processor_seconds(pid):
    with open(f"/proc/{pid}/stat") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def started():
    """The context of a Spark on one core, quiet."""
    settings = {"spark.ui.enabled": "false", "spark.default.parallelism": "1", "spark.log.level": "ERROR"}
    builder = SparkSession.builder.master("local[1]")
    for name, value in settings.items():
        builder = builder.config(name, value)
    return builder.getOrCreate().sparkContext


def main():
    order = json.loads(sys.argv[1])
    with open(order["data"]) as file:
        rows = [line.rstrip("\n").split(",")[:-1] for line in file.readlines()[1:]]
    context = started()
    machine = context._jvm
    pid = machine.java.lang.ProcessHandle.current().pid()
    clustering = machine.org.apache.spark.mllib.clustering
    vector = machine.org.apache.spark.mllib.linalg.Vectors
    with tempfile.TemporaryDirectory() as place:

        def loaded():
            batches = []
            for number, start in enumerate(range(0, len(rows), order["batch"])):
                path = f"{place}/{number}"
                with open(path, "w") as file:
                    file.writelines("[" + ",".join(row) + "]\n" for row in rows[start : start + order["batch"]])
                batch = machine.org.apache.spark.mllib.util.MLUtils.loadVectors(context._jsc.sc(), path, 1).cache()
                batch.count()
                batches.append(batch)
            return batches

        def learn(batches):
            centers = context._gateway.new_array(machine.org.apache.spark.mllib.linalg.Vector, order["k"])
            weights = context._gateway.new_array(machine.double, order["k"])
            for place, row in enumerate(rows[: order["k"]]):
                numbers = context._gateway.new_array(machine.double, len(row))
                for column, value in enumerate(row):
                    numbers[column] = float(value)
                centers[place] = vector.dense(numbers)
                weights[place] = 0.0
            model = clustering.StreamingKMeansModel(centers, weights)
            for batch in batches:
                model = model.update(batch, order["decay"], "batches")
            return [list(center.toArray()) for center in model.clusterCenters()]

        # MLlib adds up into the first cached row it meets: no batch serves twice.
        learn(loaded())
        batches = loaded()
        before = processor_seconds(pid)
        centers = learn(batches)
        seconds = processor_seconds(pid) - before
    print(
        json.dumps(
            {"rows": len(rows), "seconds": seconds, "rows_per_second": len(rows) / seconds, "centers": centers}
        )
    )


if __name__ == "__main__":
    main()
