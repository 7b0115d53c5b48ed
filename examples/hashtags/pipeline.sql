CREATE STREAMING TABLE IF NOT EXISTS messages (`user` STRING, `text` STRING)
  USING kafka OPTIONS (topic 'messages', format 'json');

-- Complete mode: after each batch the five most frequent tags take the place of those before.
CREATE STREAMING TABLE IF NOT EXISTS hashtags
  USING memory OPTIONS (outputMode 'complete')
  AS SELECT tag, count(*) AS times
     FROM STREAM messages LATERAL VIEW explode(split(lower(`text`), ' ')) words AS tag
     WHERE tag LIKE '#%'
     GROUP BY tag ORDER BY times DESC, tag LIMIT 5;
