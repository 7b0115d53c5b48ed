CREATE STREAMING TABLE IF NOT EXISTS activity (at TIMESTAMP, `user` STRING, page STRING, action STRING)
  USING kafka OPTIONS (topic 'activity', format 'json');

-- A minute is written once, when no click for it can come any more: thirty seconds after its end.
CREATE STREAMING TABLE IF NOT EXISTS clicks_per_page
  USING kafka OPTIONS (topic 'clicks-per-page', outputMode 'append', lateTopic 'clicks-late')
  AS SELECT window.start AS minute, page, count(*) AS clicks
     FROM STREAM activity WATERMARK at DELAY OF INTERVAL 30 SECONDS
     WHERE action = 'click'
     GROUP BY window(at, '1 minute'), page;
