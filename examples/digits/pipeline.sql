-- Images are enrolled on one topic and asked about on another; answers leave on a third and a fourth.
-- A network turns each image into a signature; a clustering model is updated by every micro-batch.

-- The file becomes a function from pixels to signatures: signature(ARRAY<FLOAT>) -> ARRAY<FLOAT>.
CREATE MODEL signature FROM ONNX 'signature.onnx';

CREATE STREAMING TABLE enrolments (id STRING, pixels ARRAY<FLOAT>)
  USING kafka OPTIONS (topic 'enrol', format 'json');

CREATE STREAMING TABLE uploads (id STRING, pixels ARRAY<FLOAT>)
  USING kafka OPTIONS (topic 'uploads', format 'json');

-- The model of the story, and its twin on bare pixels to compare it with. Neither sees a label.
CREATE MODEL segments
  OPTIONS (algorithm 'streaming_kmeans', k 10, half_life '500 points', seed 0, dim 16)
  AS SELECT signature(pixels) AS features FROM STREAM enrolments;

CREATE MODEL segments_raw
  OPTIONS (algorithm 'streaming_kmeans', k 10, half_life '500 points', seed 0, dim 64)
  AS SELECT pixels AS features FROM STREAM enrolments;

-- Where each enrolled image falls, by the model as it was before that image's batch was learned.
CREATE STREAMING TABLE placed USING kafka OPTIONS (topic 'placed', format 'json')
  AS SELECT id,
            predict('segments', signature(pixels)) AS segment,
            predict('segments_raw', pixels) AS segment_raw,
            model_version('segments') AS model_version
     FROM STREAM enrolments;

-- Where an uploaded image falls. Uploads are answered, not learned.
CREATE STREAMING TABLE assigned USING kafka OPTIONS (topic 'assigned', format 'json')
  AS SELECT id,
            predict('segments', signature(pixels)) AS segment,
            predict('segments_raw', pixels) AS segment_raw,
            model_version('segments') AS model_version
     FROM STREAM uploads;

-- How often each segment was the answer.
CREATE STREAMING TABLE segment_counts USING kafka OPTIONS (topic 'segment_counts', format 'json')
  AS SELECT segment, count(*) AS images FROM STREAM assigned GROUP BY segment;
