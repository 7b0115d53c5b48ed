"""The same in PySpark:

    spark-submit --packages org.apache.spark:spark-sql-kafka-0-10_2.13:4.0.1 spark.py 127.0.0.1:9092
"""

import json
import sys

from pyspark.sql import SparkSession
from pyspark.sql.functions import col, explode, split

spark = SparkSession.builder.config("spark.sql.shuffle.partitions", 2).getOrCreate()
lines = (
    spark.readStream.format("kafka")
    .option("kafka.bootstrap.servers", sys.argv[1])
    .option("subscribe", "lines")
    .option("startingOffsets", "earliest")
    .option("maxOffsetsPerTrigger", 4)
    .load()
    .select(col("value").cast("string").alias("line"))
)
words = lines.select(explode(split("line", " ")).alias("word"))


def count(batch, number):
    # Spark counts batches from 0.
    print(json.dumps([number + 1, batch.count()]))


# To see it live: processingTime="2 seconds".
words.writeStream.foreachBatch(count).trigger(availableNow=True).start().awaitTermination()
spark.stop()
