"""The same in PySpark:

    spark-submit --packages org.apache.spark:spark-sql-kafka-0-10_2.13:4.0.1 spark.py 127.0.0.1:9092
"""

import json
import sys

from pyspark.sql import SparkSession
from pyspark.sql.functions import col, from_json, window

COLUMNS = "at TIMESTAMP, user STRING, page STRING, action STRING"

spark = (
    SparkSession.builder.config("spark.sql.shuffle.partitions", 2)
    .config("spark.sql.session.timeZone", "UTC").getOrCreate()
)
activity = (
    spark.readStream.format("kafka")
    .option("kafka.bootstrap.servers", sys.argv[1])
    .option("subscribe", "activity")
    .option("startingOffsets", "earliest")
    .load()
    .select(from_json(col("value").cast("string"), COLUMNS).alias("event"))
    .select("event.*")
)
query = (
    activity.withWatermark("at", "30 seconds").where("action = 'click'")
    .groupBy(window("at", "1 minute"), "page").count()
    .writeStream.format("memory").queryName("clicks_per_page").outputMode("append")
    .trigger(availableNow=True)
    .start()
)
query.awaitTermination()
result = spark.sql(
    "SELECT date_format(window.start, 'HH:mm') AS minute, page, count AS clicks "
    "FROM clicks_per_page ORDER BY minute, page"
)
for row in result.collect():
    print(json.dumps(list(row)))
spark.stop()
