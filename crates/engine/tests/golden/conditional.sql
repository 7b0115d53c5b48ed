if(i > 0, 'pos', 'neg')
if(b, 1, 2)
iff(b, 1, 2)
ifnull(s, 'none')
nvl(s, 'none')
nvl(i, 0)
nvl2(s, 1, 2)
coalesce(s, w, 'z')
coalesce(i, l)
nullif(i, 7)
nullif(s, '')
nullifzero(i)
zeroifnull(i)
CASE WHEN i > 0 THEN 'a' WHEN i = 0 THEN 'b' ELSE 'c' END
CASE i WHEN 7 THEN 'seven' WHEN 0 THEN 'zero' END
CASE WHEN b THEN 1 END
isnull(i)
isnotnull(i)
i IS NULL
i IS NOT NULL
b IS TRUE
b IS NOT FALSE
b IS UNKNOWN
i IN (7, 0)
i NOT IN (7, 0)
i BETWEEN 0 AND 10
s IN ('Hello World')
i IS DISTINCT FROM 7
equal_null(i, 7)
assert_true(id > 0)
assert_true(id > 2)
raise_error('no')
CASE WHEN i IS NULL THEN raise_error('x') ELSE 1 END
when(i > 0, 1)
