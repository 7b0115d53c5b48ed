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
