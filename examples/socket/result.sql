SELECT word, times FROM word_counts ORDER BY times DESC, word LIMIT 12;
