abs(i)
abs(d)
abs(l)
ceil(d)
ceiling(d)
floor(d)
ceil(i)
ceil(d, 1)
floor(d, -1)
round(d)
round(d, 1)
round(2.5D)
round(-2.5D)
round(i, -1)
round(25, -1)
round(123.456D, 2)
bround(2.5D)
bround(3.5D)
bround(25, -1)
bround(d, 1)
rint(d)
rint(2.5D)
sign(d)
signum(i)
sqrt(abs(d))
sqrt(-1D)
cbrt(27D)
exp(1D)
expm1(1D)
ln(d)
ln(0D)
log(d)
log(10, 100)
log2(8D)
log10(1000D)
log10(-1D)
log1p(0D)
pow(2, 3)
power(d, 2)
mod(i, 3)
i % 3
i % 0
pmod(i, 5)
pmod(-7, 3)
pmod(d, 3)
try_mod(i, 0)
i / 2
i / 0
d / 0
l / i
1 / 2
7 / 2
i div 2
7 div 2
div(7, 2)
i + 1
i + l
l + 1
i * 2
i - 1
-i
+i
negative(i)
positive(i)
try_add(i, 1)
try_add(1, 2)
try_subtract(i, 1)
try_multiply(i, 2)
try_divide(i, 0)
try_divide(i, 2)
greatest(i, 5)
least(i, 5)
greatest(d, NULL)
greatest('a', s)
sin(d)
cos(d)
tan(0.5D)
cot(1D)
sec(1D)
csc(1D)
asin(0.5D)
asin(2D)
acos(0.5D)
atan(d)
atan2(1D, 2D)
sinh(1D)
cosh(1D)
tanh(1D)
asinh(1D)
acosh(2D)
atanh(0.5D)
degrees(1D)
radians(180D)
hypot(3D, 4D)
pi()
e()
factorial(5)
factorial(21)
bin(i)
bin(13)
conv('100', 2, 10)
conv('ff', 16, 10)
conv(-10, 16, -10)
hex(17)
shiftleft(i, 2)
shiftright(i, 1)
shiftrightunsigned(i, 1)
1 << 3
bit_count(i)
bit_get(5, 0)
getbit(5, 1)
i & 5
i | 8
i ^ 3
~i
width_bucket(5.3D, 0.2D, 10.6D, 5)
nanvl(CAST('NaN' AS DOUBLE), 1D)
isnan(d)
isnan(CAST('NaN' AS DOUBLE))
rand(1) < 1
rand() < 1
randn(1) < 100
uniform(1, 2, 3) >= 1
gcd(12, 18)
d * 2
d + i
2 * 3.5D
1.5 + 1
1.5 * 2.25
10.0 / 4
CAST(10 AS DECIMAL(10,2)) / 3
CAST(1.23 AS DECIMAL(5,2)) + CAST(4.5 AS DECIMAL(4,1))
5 % 2.5
1e3
2147483647 + 0
2147483648
CAST(2147483647 AS INT) + CAST(1 AS INT)
CAST(127 AS TINYINT)
i > 0
i <=> NULL
i = 7
i != 7
i <> 0
i == 0
NOT b
b AND i > 0
b OR i > 0
crc32(s)
md5(s)
sha1(s)
sha(s)
sha2(s, 256)
sha2(s, 512)
sha2(s, 0)
hash(i)
hash(s)
hash(l)
hash(d)
hash(b)
hash(dt)
hash(ts)
hash(i, s)
hash(a)
hash(st)
hash(bin)
hash(NULL)
hash(1)
hash('Spark')
xxhash64(i)
xxhash64(s)
xxhash64(l)
xxhash64(d)
xxhash64(i, s)
xxhash64(a)
xxhash64(st)
xxhash64('Spark', array(123), 2)
monotonically_increasing_id() >= 0
i - 2147483647
i - l
i * d
CAST(2 AS FLOAT) + 1
CAST(2 AS FLOAT) + l
CAST(2 AS FLOAT) * CAST(3 AS FLOAT)
CAST(2 AS FLOAT) / 3
CAST(100 AS TINYINT) + CAST(27 AS TINYINT)
CAST(100 AS TINYINT) + CAST(100 AS TINYINT)
CAST(1 AS SMALLINT) * CAST(7 AS TINYINT)
CAST(1.25 AS DECIMAL(5,2)) * CAST(2.5 AS DECIMAL(3,1))
CAST(1.25 AS DECIMAL(5,2)) / CAST(3 AS DECIMAL(3,1))
CAST(-1.25 AS DECIMAL(5,2)) / 2
CAST(7 AS DECIMAL(38,0)) / 3
CAST(1 AS DECIMAL(5,2)) - id
CAST(1 AS DECIMAL(5,2)) - l
CAST(1 AS DECIMAL(5,2)) * d
CAST(5.5 AS DECIMAL(3,1)) % 2
CAST('99999999999999999999999999999999999999' AS DECIMAL(38,0)) + 1
CAST(1 AS DECIMAL(5,2)) / 0
CAST(1 AS DECIMAL(5,2)) % 0
'5' / 2
'5' - 1
'5' % 3
'x' + 1
'5' + 1.5D
'5' + '6'
NULL + 1
i + NULL
-7 % 3
-7 div 2
l div 2
1 div 0
d div 2
mod(7, 0)
d % 0
try_mod(7, 0)
try_divide(1, 0)
try_multiply(l, 2)
try_add(l, 1L)
CASE WHEN id = 3 THEN 0 ELSE 10 / i END
id + 1 + 1
2 * id - 1
1 + 2 * 3
i <> 0 AND 10 / i > 1
i = 0 OR 10 / i > 1
b AND 10 / id > 1
i IS NULL OR id / 2 > 1
CASE WHEN i <> 0 AND 10 / i > 1 THEN 'x' ELSE 'y' END
