SELECT row_number() OVER (ORDER BY at) AS batch, words FROM words_per_batch ORDER BY batch;
