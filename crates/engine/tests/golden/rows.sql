SELECT id, explode(a) AS x FROM t
SELECT id, explode(a) FROM t
SELECT id, explode_outer(a) AS x FROM t
SELECT id, posexplode(a) AS (p, x) FROM t
SELECT id, posexplode(a) FROM t
SELECT id, posexplode_outer(a) AS (p, x) FROM t
SELECT id, explode(m) AS (k, v) FROM t
SELECT id, explode(m) FROM t
SELECT id, explode_outer(m) AS (k, v) FROM t
SELECT explode(split(s, ' ')) AS word FROM t
SELECT id, x FROM t LATERAL VIEW explode(a) e AS x
SELECT id, x FROM t LATERAL VIEW OUTER explode(a) e AS x
SELECT id, p, x FROM t LATERAL VIEW posexplode(a) e AS p, x
SELECT id, k, v FROM t LATERAL VIEW explode(m) e AS k, v
SELECT id, x, y FROM t LATERAL VIEW explode(a) e AS x LATERAL VIEW explode(sa) f AS y
SELECT t.id, e.x FROM t LATERAL VIEW explode(a) e AS x
SELECT word, count(*) AS n FROM t LATERAL VIEW explode(split(s, ' ')) e AS word GROUP BY word
SELECT id, inline(array(struct(1 AS p, 'a' AS q), struct(2 AS p, 'b' AS q))) FROM t
SELECT id, inline(array(struct(1, 'a'), struct(2, 'b'))) FROM t
SELECT id, inline_outer(array(struct(id AS p, s AS q))) FROM t
SELECT id, stack(2, id, s, i, w) FROM t
SELECT id, json_tuple(j, 'a', 's') AS (x, y) FROM t
SELECT id, json_tuple(j, 'a', 'b', 'f', 't') FROM t
SELECT id, x, y FROM t LATERAL VIEW json_tuple(j, 'a', 's') e AS x, y
SELECT id, from_json(j, 'a INT, s STRING').* FROM t
SELECT id, st.* FROM t
SELECT id, explode(from_json(j, 'arr ARRAY<STRUCT<k: STRING>>').arr) AS e FROM t
SELECT id, explode(from_json(j, 'arr ARRAY<STRUCT<k: STRING>>').arr).k FROM t
SELECT id, explode(array(a, array(0))) AS x FROM t
SELECT id, explode(sequence(1, id)) AS n FROM t
SELECT id, e.k FROM t LATERAL VIEW explode(from_json(j, 'arr ARRAY<STRUCT<k: STRING>>').arr) x AS e
SELECT col FROM t LATERAL VIEW explode(a) e
SELECT upper(word) AS u FROM (SELECT explode(split(s, ' ')) AS word FROM t) WHERE word <> ''
SELECT id, x * 2 AS y FROM t LATERAL VIEW explode(a) e AS x WHERE x > 1
SELECT id, u.x FROM t, LATERAL explode(a) AS u(x)
SELECT DISTINCT b FROM t
SELECT b, count(*) AS n FROM t GROUP BY b
SELECT b, collect_list(id) AS ids FROM t GROUP BY b
SELECT count(*) FILTER (WHERE i > 0) AS n, sum(i) AS total FROM t
SELECT id, s AS name FROM t WHERE s LIKE '%o%'
SELECT b, max(i) AS largest FROM t GROUP BY b HAVING max(i) > 1
SELECT * EXCEPT (j, c, m, st, bin, sa, a, ts) FROM t
SELECT id, x FROM t CROSS JOIN LATERAL explode(a) AS u(x)
SELECT id, x FROM t LEFT JOIN LATERAL explode(a) AS u(x)
SELECT id, p, x FROM t, LATERAL posexplode(a) AS u(p, x) WHERE p > 0
SELECT x, count(*) AS n FROM t LATERAL VIEW explode(a) e AS x GROUP BY x HAVING count(*) > 1
SELECT id, x, y FROM t LATERAL VIEW explode(array(a, array(9))) e AS x LATERAL VIEW explode(x) f AS y
SELECT id, size(collect_list(x)) AS n FROM t LATERAL VIEW OUTER explode(a) e AS x GROUP BY id
SELECT st.x FROM t
SELECT t.st.y FROM t
SELECT id, m['k'] AS k FROM t
SELECT max_by(s, i) AS s, min_by(id, d) AS n FROM t WHERE id < 5
SELECT upper(s), i + 1.0D, count(*) OVER () > 0 AS c FROM t WHERE id = 1
SELECT count(*), sum(d), count(DISTINCT b), max(i) FILTER (WHERE i < 10) FROM t
SELECT concat(s, '!'), a[0], m['k'], st.x, t.id FROM t WHERE id = 1
SELECT CASE WHEN i > 0 THEN 'x' ELSE s END, i IS NULL, -i, NOT b, 1, 'one', i <> 2 FROM t WHERE id = 1
SELECT CAST(i AS STRING), coalesce(i, 0), b AND i > 3, (i + 2) * 3, substring(s, 1, 2) FROM t WHERE id = 1
SELECT b, avg(i) FROM t WHERE id < 4 GROUP BY b ORDER BY avg(i)
SELECT col FROM explode(array(1, 2))
SELECT x FROM explode(array('a', 'b')) AS u(x) WHERE x > 'a'
SELECT * FROM posexplode(array(7, 8)) AS u(p, x)
SELECT hll_sketch_estimate(hll_sketch_agg(id)) AS n FROM (SELECT explode(sequence(1, 5000)) AS id FROM t WHERE id = 1)
SELECT hll_sketch_estimate(hll_union_agg(k)) AS n FROM (SELECT hll_sketch_agg(id) AS k FROM t GROUP BY i)
SELECT id, (SELECT count(*) FROM t AS u WHERE u.i > t.i) AS above FROM t
SELECT id, (SELECT count(*) + 1 FROM t AS u WHERE u.i > t.i) AS place FROM t
SELECT id, (SELECT count(*) IS NULL FROM t AS u WHERE u.i > t.i) AS none FROM t
SELECT id, (SELECT sum(n) FROM (SELECT count(*) AS n FROM t AS u WHERE u.id = t.id + 1000) AS c) AS nested FROM t
SELECT id, EXISTS (SELECT 1 FROM t AS u WHERE u.i = t.i AND u.id <> t.id) AS twin FROM t
SELECT id, i IN (SELECT u.i FROM t AS u WHERE u.id <> t.id) AS again FROM t
SELECT id FROM t WHERE i NOT IN (SELECT u.i FROM t AS u WHERE u.id > t.id AND u.i IS NOT NULL)
SELECT id FROM t WHERE EXISTS (SELECT 1 FROM t AS u WHERE u.id = t.id - 1) OR id = 1
SELECT id FROM t WHERE id IN (SELECT u.id FROM t AS u WHERE u.id >= t.id ORDER BY u.id LIMIT 1) OR b
SELECT id, (SELECT max(v) FROM (SELECT u.d AS v FROM t AS u WHERE u.id = t.id UNION ALL SELECT CAST(t.id AS DOUBLE)) AS both) AS top FROM t
SELECT t.id, u.n FROM t, LATERAL (SELECT count(*) AS n FROM t AS o WHERE o.id < t.id) AS u
SELECT t.id, u.id AS next FROM t LEFT JOIN LATERAL (SELECT o.id FROM t AS o WHERE o.id > t.id ORDER BY o.id LIMIT 1) AS u ON true
SELECT i, id, count(*) AS n FROM t GROUP BY i, ROLLUP (id)
SELECT b, i IS NULL AS x, count(*) AS n FROM t GROUP BY GROUPING SETS ((b), ()), i IS NULL
SELECT b, id, i, count(*) AS n FROM t GROUP BY ROLLUP ((b, id), i)
SELECT b FROM t EXCEPT ALL SELECT b FROM t WHERE id = 1
SELECT b FROM t INTERSECT ALL SELECT b FROM t WHERE id < 3
SELECT id, s FROM t EXCEPT ALL SELECT 5, NULL
SELECT * FROM (SELECT b, id % 2 AS odd FROM t UNION ALL SELECT b, id % 2 FROM t) EXCEPT ALL SELECT b, 1 FROM t
SELECT id % 2 AS odd FROM t INTERSECT ALL SELECT 1 FROM t WHERE id < 3
SELECT id, t.st.*, t.id AS again FROM t
SELECT id, posexplode(m) FROM t
SELECT id, key FROM t LATERAL VIEW explode(m) e
SELECT id, row_number() OVER (ORDER BY i) AS n FROM t
SELECT id, row_number() OVER (ORDER BY i DESC) AS n FROM t
SELECT id, rank() OVER (PARTITION BY b ORDER BY id DESC) FROM t
SELECT id, sum(id) OVER (PARTITION BY b), count(*) OVER (ORDER BY id ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM t
SELECT id, lag(s) OVER (ORDER BY id), lead(s, 2) OVER (ORDER BY id), avg(id) OVER (ORDER BY id ROWS 2 PRECEDING) FROM t
SELECT id, sum(id) OVER w AS n FROM t WINDOW w AS (ORDER BY id ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING)
SELECT first_value(i) OVER (ORDER BY i) AS least, id FROM t
SELECT * FROM (SELECT id, b, s FROM t) PIVOT (count(s) FOR b IN (true, false AS nay))
SELECT * FROM range(3)
SELECT id + 1 AS n FROM range(1, 10, 3) AS r
SELECT avg(DISTINCT id % 2) AS a, count(DISTINCT b, id) AS n FROM t
SELECT * FROM (WITH u AS (SELECT id, b, s FROM t) SELECT * FROM (SELECT b, s FROM u) PIVOT (count(s) FOR b IN (true, false AS nay))) AS x
