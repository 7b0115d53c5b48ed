"""The same in PySpark:

    spark-submit --packages org.apache.spark:spark-sql-kafka-0-10_2.13:4.0.1 spark.py 127.0.0.1:9092
"""

import json
import sys

from pyspark.sql import SparkSession
from pyspark.sql.functions import col, explode, from_json, lower, split

spark = SparkSession.builder.config("spark.sql.shuffle.partitions", 2).getOrCreate()
messages = (
    spark.readStream.format("kafka")
    .option("kafka.bootstrap.servers", sys.argv[1])
    .option("subscribe", "messages")
    .option("startingOffsets", "earliest")
    .load()
    .select(from_json(col("value").cast("string"), "user STRING, text STRING").alias("message"))
    .select("message.*")
)
tags = messages.select(explode(split(lower("text"), " ")).alias("tag")).where("tag LIKE '#%'")
query = (
    tags.groupBy("tag").count().withColumnRenamed("count", "times")
    .orderBy(col("times").desc(), "tag").limit(5)
    .writeStream.format("memory").queryName("hashtags").outputMode("complete")
    .trigger(availableNow=True)
    .start()
)
query.awaitTermination()
for row in spark.sql("SELECT tag, times FROM hashtags ORDER BY times DESC, tag").collect():
    print(json.dumps(list(row)))
spark.stop()
