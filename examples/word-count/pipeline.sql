-- Every record of the topic is a line of text.
CREATE STREAMING TABLE IF NOT EXISTS lines (line STRING)
  USING kafka OPTIONS (topic 'lines', format 'text');

-- Every two seconds the words of the new lines are added to what was counted before.
CREATE STREAMING TABLE IF NOT EXISTS word_counts
  USING kafka OPTIONS (topic 'word-counts', key 'word', trigger 'processingTime 2 seconds')
  AS SELECT word, count(*) AS times
     FROM STREAM lines LATERAL VIEW explode(split(lower(line), '[^a-z]+')) words AS word
     WHERE word <> ''
     GROUP BY word;
