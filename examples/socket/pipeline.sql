-- Lines that a program sends to whoever connects: nc -lk 9999 < lines.txt
CREATE STREAMING TABLE IF NOT EXISTS lines
  USING socket OPTIONS (host '127.0.0.1', port 9999);

CREATE STREAMING TABLE IF NOT EXISTS word_counts
  USING memory OPTIONS (key 'word')
  AS SELECT word, count(*) AS times
     FROM STREAM lines LATERAL VIEW explode(split(lower(value), '[^a-z]+')) words AS word
     WHERE word <> ''
     GROUP BY word;
