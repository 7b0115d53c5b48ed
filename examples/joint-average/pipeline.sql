CREATE STREAMING TABLE IF NOT EXISTS north (station STRING, at TIMESTAMP, celsius DOUBLE)
  USING kafka OPTIONS (topic 'north', format 'json');
CREATE STREAMING TABLE IF NOT EXISTS south (station STRING, at TIMESTAMP, celsius DOUBLE)
  USING kafka OPTIONS (topic 'south', format 'json');
CREATE STREAMING TABLE IF NOT EXISTS west (station STRING, at TIMESTAMP, celsius DOUBLE)
  USING kafka OPTIONS (topic 'west', format 'json');

-- What was measured at the same time is averaged together, whenever it arrives. The slowest station holds the watermark.
CREATE STREAMING TABLE IF NOT EXISTS joint_average
  USING kafka OPTIONS (topic 'joint-average', outputMode 'append', lateTopic 'stations-late')
  AS SELECT window.start AS since, avg(celsius) AS celsius, count(*) AS readings
     FROM (SELECT at, celsius FROM STREAM north WATERMARK at DELAY OF INTERVAL 15 SECONDS
           UNION ALL
           SELECT at, celsius FROM STREAM south WATERMARK at DELAY OF INTERVAL 15 SECONDS
           UNION ALL
           SELECT at, celsius FROM STREAM west WATERMARK at DELAY OF INTERVAL 15 SECONDS)
     GROUP BY window(at, '10 seconds');
