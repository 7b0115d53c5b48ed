CREATE STREAMING TABLE IF NOT EXISTS readings (sensor STRING, at TIMESTAMP, celsius DOUBLE)
  USING kafka OPTIONS (topic 'readings', format 'json');

-- Windows of ten seconds, a new one every five: the moving average. A window leaves when it is complete.
CREATE STREAMING TABLE IF NOT EXISTS moving_average
  USING kafka OPTIONS (topic 'moving-average', key 'sensor', outputMode 'append')
  AS SELECT sensor, window.`end` AS until, avg(celsius) AS celsius, count(*) AS readings
     FROM STREAM readings WATERMARK at DELAY OF INTERVAL 2 SECONDS
     GROUP BY window(at, '10 seconds', '5 seconds'), sensor;
