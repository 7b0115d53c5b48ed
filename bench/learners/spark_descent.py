"""MLlib's streaming regressions over batches that Spark already holds; runs in the environment that has PySpark.

    python spark_descent.py '{"data": "rows.csv", "label": "class", "batch": 20000}'

Each batch is learned as `trainOn` does it: the algorithm runs from the weights of the last batch, with the defaults of
the streaming classes. How the time is taken is told in `spark_kmeans.py`. One line of JSON.
"""

import json
import sys
import tempfile

from spark_kmeans import processor_seconds, started

STEP_SIZE, ITERATIONS, FRACTION, TOLERANCE = 0.1, 50, 1.0, 0.001


def main():
    order = json.loads(sys.argv[1])
    with open(order["data"]) as file:
        rows = [line.rstrip("\n").rsplit(",", 1) for line in file.readlines()[1:]]
    context = started()
    machine = context._jvm
    pid = machine.java.lang.ProcessHandle.current().pid()
    api = machine.org.apache.spark.mllib.api.python.PythonMLLibAPI()
    vectors = machine.org.apache.spark.mllib.linalg.Vectors
    numbers = context._gateway.new_array(machine.double, rows[0][0].count(",") + 1)
    start = vectors.dense(numbers)
    with tempfile.TemporaryDirectory() as place:

        def loaded():
            batches = []
            for number, begin in enumerate(range(0, len(rows), order["batch"])):
                path = f"{place}/{number}"
                with open(path, "w") as file:
                    file.writelines(f"({label},[{row}])\n" for row, label in rows[begin : begin + order["batch"]])
                batch = machine.org.apache.spark.mllib.util.MLUtils.loadLabeledPoints(context._jsc.sc(), path, 1)
                batch = batch.toJavaRDD().cache()
                batch.count()
                batches.append(batch)
            return batches

        def learn(batches):
            weights = start
            for batch in batches:
                # The algorithm caches what it is given, which must not be cached already.
                common = (batch.coalesce(1), ITERATIONS, STEP_SIZE, FRACTION, weights, 0.0, None, False, True, TOLERANCE)
                if order["label"] == "class":
                    answer = api.trainLogisticRegressionModelWithSGD(*common)
                else:
                    answer = api.trainLinearRegressionModelWithSGD(*common)
                weights = answer[0]
            return list(weights.toArray())

        learn(loaded())
        batches = loaded()
        before = processor_seconds(pid)
        weights = learn(batches)
        seconds = processor_seconds(pid) - before
    figures = {"rows": len(rows), "seconds": seconds, "rows_per_second": len(rows) / seconds}
    print(json.dumps({**figures, "weights": weights, "first": rows[0][1]}))


if __name__ == "__main__":
    main()
