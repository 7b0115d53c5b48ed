-- The last row of a word is its count.
SELECT word, max(times) AS times FROM word_counts GROUP BY word ORDER BY times DESC, word LIMIT 12;
