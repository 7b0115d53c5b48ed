-- Four lines make a batch, if so many are there.
CREATE STREAMING TABLE IF NOT EXISTS lines (line STRING)
  USING kafka OPTIONS (topic 'lines', format 'text', maxOffsetsPerTrigger 4);

-- All rows of a batch have the same current_timestamp(): that of the batch. So each batch is a group.
CREATE STREAMING TABLE IF NOT EXISTS words_per_batch
  USING kafka OPTIONS (topic 'words-per-batch', trigger 'processingTime 2 seconds')
  AS SELECT at, count(*) AS words
     FROM (SELECT current_timestamp() AS at, explode(split(line, ' ')) AS word FROM STREAM lines)
     GROUP BY at;
