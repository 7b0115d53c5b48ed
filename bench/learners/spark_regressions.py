"""MLlib's two streaming regressions over the rows of the crate's tests; prints the weights that the tests expect.

    python spark_regressions.py

runs in an environment that has PySpark and NumPy. `trainOn` gets four batches of 50 rows, one after the other.
"""

from pyspark.mllib.classification import StreamingLogisticRegressionWithSGD
from pyspark.mllib.regression import LabeledPoint, StreamingLinearRegressionWithSGD
from pyspark.sql import SparkSession
from pyspark.streaming import DStream

STEPS = {"stepSize": 0.02, "numIterations": 10, "convergenceTol": 0.0}
CASES = [
    (StreamingLinearRegressionWithSGD, {}),
    (StreamingLinearRegressionWithSGD, STEPS),
    (StreamingLogisticRegressionWithSGD, {}),
    (StreamingLogisticRegressionWithSGD, STEPS),
    (StreamingLogisticRegressionWithSGD, {"regParam": 0.1}),
]


class Batches(DStream):
    """Batches that are all there already."""

    def __init__(self, batches):
        self.batches = batches

    def foreachRDD(self, take):
        for batch in self.batches:
            take(batch)


def rows():
    """As `stream` in `crates/ml/tests/it/linear.rs`."""
    state, numbers = 12_345, []
    for _ in range(600):
        state = (state * 1_103_515_245 + 12_345) % (1 << 31)
        numbers.append(state / (1 << 31) * 4.0 - 2.0)
    for a, b, c in zip(numbers[::3], numbers[1::3], numbers[2::3], strict=True):
        row = [a, b + 1.0, c + 2.0]
        yield row, 1.5 * row[0] - 0.5 * row[1] + 0.25 * row[2] * row[2]


def main():
    context = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").getOrCreate().sparkContext
    for learner, options in CASES:
        classes = learner is StreamingLogisticRegressionWithSGD
        points = [LabeledPoint(float(label > 0.5) if classes else label, row) for row, label in rows()]
        batches = [context.parallelize(points[start : start + 50], 1).cache() for start in range(0, 200, 50)]
        model = learner(**options)
        model.setInitialWeights([0.0, 0.0, 0.0])
        model.trainOn(Batches(batches))
        print(learner.__name__, options, [float(weight) for weight in model.latestModel().weights])


if __name__ == "__main__":
    main()
