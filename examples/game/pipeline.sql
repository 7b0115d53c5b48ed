-- One record is one round: a matrix of rows, a label for each, and the score to beat.
CREATE STREAMING TABLE game (round INT, score DOUBLE, `rows` ARRAY<ARRAY<DOUBLE>>, labels ARRAY<STRING>)
  USING kafka OPTIONS (topic 'game', format 'json', maxOffsetsPerTrigger 1);

-- Every row is a question first and a lesson then. A round is a batch, so each version of the model is judged on exactly
-- one round: its 300 rows.
CREATE MODEL player
  OPTIONS (algorithm 'naive_bayes', evaluation_window 300, drift 'adwin', on_drift 'reset')
  AS SELECT unnest(`rows`) AS features, unnest(labels) AS label FROM STREAM game;
