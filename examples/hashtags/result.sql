SELECT tag, times FROM hashtags ORDER BY times DESC, tag;
