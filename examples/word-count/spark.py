"""The same in PySpark:

    spark-submit --packages org.apache.spark:spark-sql-kafka-0-10_2.13:4.0.1 spark.py 127.0.0.1:9092
"""

import json
import sys

from pyspark.sql import SparkSession
from pyspark.sql.functions import col, explode, lower, split

spark = SparkSession.builder.config("spark.sql.shuffle.partitions", 2).getOrCreate()
lines = (
    spark.readStream.format("kafka")
    .option("kafka.bootstrap.servers", sys.argv[1])
    .option("subscribe", "lines")
    .option("startingOffsets", "earliest")
    .load()
    .select(col("value").cast("string").alias("line"))
)
words = lines.select(explode(split(lower("line"), "[^a-z]+")).alias("word")).where("word <> ''")
query = (
    words.groupBy("word").count()
    .writeStream.format("memory").queryName("word_counts").outputMode("complete")
    .trigger(availableNow=True)  # to see it live: processingTime="2 seconds"
    .start()
)
query.awaitTermination()
result = spark.sql("SELECT word, count AS times FROM word_counts ORDER BY times DESC, word LIMIT 12")
for row in result.collect():
    print(json.dumps(list(row)))
spark.stop()
