CREATE STREAMING TABLE IF NOT EXISTS readings (sensor STRING, at TIMESTAMP, celsius DOUBLE)
  USING kafka OPTIONS (topic 'readings', format 'json');

-- Windows of ten seconds, a new one every five: the moving average. A window leaves when it is complete.
CREATE STREAMING TABLE IF NOT EXISTS moving_average
  USING kafka OPTIONS (topic 'moving-average', key 'sensor', outputMode 'append')
  AS SELECT sensor, window.`end` AS until, avg(celsius) AS celsius, count(*) AS readings
     FROM STREAM readings WATERMARK at DELAY OF INTERVAL 2 SECONDS
     GROUP BY window(at, '10 seconds', '5 seconds'), sensor;

-- With each reading the average of the last five. A reading leaves when none can come that belongs before it.
CREATE STREAMING TABLE IF NOT EXISTS last_five
  USING kafka OPTIONS (topic 'last-five', key 'sensor')
  AS SELECT sensor, at, avg(celsius) OVER (PARTITION BY sensor ORDER BY at ROWS BETWEEN 4 PRECEDING AND CURRENT ROW) AS celsius
     FROM STREAM readings WATERMARK at DELAY OF INTERVAL 2 SECONDS;
