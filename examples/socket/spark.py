"""The same in PySpark, with the port that sends lines:

    spark-submit spark.py 9999
"""

import json
import sys

from pyspark.sql import SparkSession
from pyspark.sql.functions import explode, lower, split

spark = SparkSession.builder.config("spark.sql.shuffle.partitions", 2).getOrCreate()
lines = (
    spark.readStream.format("socket").option("host", "127.0.0.1").option("port", int(sys.argv[1])).load()
)
words = lines.select(explode(split(lower("value"), "[^a-z]+")).alias("word")).where("word <> ''")
query = (
    words.groupBy("word").count()
    .writeStream.format("memory").queryName("word_counts").outputMode("complete").start()
)
query.awaitTermination(20)  # a socket never ends: after so many seconds the result is shown
result = spark.sql("SELECT word, count AS times FROM word_counts ORDER BY times DESC, word LIMIT 12")
for row in result.collect():
    print(json.dumps(list(row)))
query.stop()
spark.stop()
