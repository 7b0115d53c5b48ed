"""The same in PySpark:

    spark-submit --packages org.apache.spark:spark-sql-kafka-0-10_2.13:4.0.1 spark.py 127.0.0.1:9092
"""

import json
import sys

from pyspark.sql import SparkSession
from pyspark.sql.functions import avg, col, count, from_json, window

COLUMNS = "sensor STRING, at TIMESTAMP, celsius DOUBLE"

spark = (
    SparkSession.builder.config("spark.sql.shuffle.partitions", 2)
    .config("spark.sql.session.timeZone", "UTC").getOrCreate()
)
readings = (
    spark.readStream.format("kafka")
    .option("kafka.bootstrap.servers", sys.argv[1])
    .option("subscribe", "readings")
    .option("startingOffsets", "earliest")
    .load()
    .select(from_json(col("value").cast("string"), COLUMNS).alias("reading"))
    .select("reading.*")
)
query = (
    readings.withWatermark("at", "2 seconds")
    .groupBy(window("at", "10 seconds", "5 seconds"), "sensor")
    .agg(avg("celsius").alias("celsius"), count("*").alias("readings"))
    .writeStream.format("memory").queryName("moving_average").outputMode("append")
    .trigger(availableNow=True)
    .start()
)
query.awaitTermination()
result = spark.sql(
    "SELECT date_format(window.end, 'HH:mm:ss') AS until, round(celsius, 3) AS celsius, readings "
    "FROM moving_average ORDER BY until"
)
for row in result.collect():
    print(json.dumps(list(row)))
spark.stop()
