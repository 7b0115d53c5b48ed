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
