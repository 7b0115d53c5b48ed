SET TIME ZONE 'America/Los_Angeles'
TIMESTAMP '2024-01-01 00:00:00'
TIMESTAMP '2024-03-10 02:30:00'
TIMESTAMP '2024-11-03 01:30:00'
TIMESTAMP '2024-11-03 01:30:00Z'
TIMESTAMP '2024-07-01 12:00:00 Europe/Berlin'
TIMESTAMP '1850-01-01 00:00:00'
TIMESTAMP '1883-11-18 12:00:00'
TIMESTAMP '2150-07-01 00:00:00'
TIMESTAMP_NTZ '2024-03-10 02:30:00'
CAST(ts AS STRING)
CAST(ts AS DATE)
CAST(dt AS TIMESTAMP)
CAST(ts AS TIMESTAMP_NTZ)
CAST(CAST(ts AS TIMESTAMP_NTZ) AS TIMESTAMP)
CAST(CAST(ts AS TIMESTAMP_NTZ) AS STRING)
CAST('2024-07-01 10:11:12.345' AS TIMESTAMP)
CAST('2024-07-01' AS TIMESTAMP)
CAST('2024-07-01T10:11:12+02:00' AS TIMESTAMP)
CAST(w AS STRING)
TRY_CAST(w AS TIMESTAMP)
TRY_CAST(w AS TIMESTAMP_NTZ)
CAST(TIMESTAMP '1850-01-01 00:00:00Z' AS STRING)
CAST(TIMESTAMP '2150-07-01 00:00:00Z' AS STRING)
CAST(TIMESTAMP '2024-11-03 08:30:00Z' AS STRING)
CAST(TIMESTAMP '2024-11-03 09:30:00Z' AS STRING)
CAST(TIMESTAMP '2024-03-10 09:59:59Z' AS STRING)
CAST(TIMESTAMP '2024-03-10 10:00:00Z' AS STRING)
CAST(array(ts) AS STRING)
CAST(struct(ts, dt) AS STRING)
CAST(map('k', ts) AS STRING)
CAST(array('2024-07-01 00:00:00') AS ARRAY<TIMESTAMP>)
CAST(ts AS BIGINT)
CAST(1720000000 AS TIMESTAMP)
concat('at ', ts)
concat_ws('|', ts, dt)
upper(ts)
length(ts)
substring(ts, 12, 5)
year(ts)
quarter(ts)
month(ts)
day(ts)
dayofweek(ts)
weekday(ts)
dayofyear(ts)
weekofyear(ts)
hour(ts)
minute(ts)
second(ts)
hour(dt)
hour(CAST('2024-03-10 02:30:00' AS TIMESTAMP_NTZ))
hour('2024-07-01 03:00:00')
hour('2024-07-01 03:00:00Z')
minute(TIMESTAMP '1850-01-01 00:00:00Z')
second(TIMESTAMP '1850-01-01 00:00:00Z')
extract(HOUR FROM ts)
extract(SECOND FROM ts)
extract(DOW FROM ts)
extract(WEEK FROM ts)
extract(SECOND FROM TIMESTAMP '1850-01-01 00:00:00Z')
date_part('hour', ts)
date_part('year', ts)
dayname(ts)
monthname(ts)
last_day(ts)
next_day(ts, 'MO')
date_add(ts, 1)
date_sub(ts, 1)
add_months(ts, 1)
datediff(ts, dt)
datediff(TIMESTAMP '2024-03-11 00:00:00', TIMESTAMP '2024-03-10 00:00:00')
months_between(ts, TIMESTAMP '2000-01-15 10:00:00')
months_between(TIMESTAMP '2024-03-10 12:00:00', TIMESTAMP '2024-01-05 00:00:00')
date_trunc('YEAR', ts)
date_trunc('QUARTER', ts)
date_trunc('MONTH', ts)
date_trunc('WEEK', ts)
date_trunc('DAY', ts)
date_trunc('HOUR', ts)
date_trunc('MINUTE', ts)
date_trunc('SECOND', ts)
date_trunc('HOUR', TIMESTAMP '2024-11-03 08:45:00Z')
date_trunc('HOUR', TIMESTAMP '2024-11-03 09:45:00Z')
date_trunc('DAY', TIMESTAMP '2024-11-03 20:00:00Z')
date_trunc('DAY', TIMESTAMP '2024-03-10 20:00:00Z')
date_trunc('HOUR', TIMESTAMP '1850-01-01 00:10:00Z')
date_trunc('MINUTE', TIMESTAMP '1850-01-01 00:10:05Z')
date_trunc('DAY', dt)
trunc(ts, 'MONTH')
trunc(ts, 'WEEK')
to_date(ts)
to_date('2024-07-01 23:00:00')
to_date('2024-07-01T23:00:00Z', "yyyy-MM-dd'T'HH:mm:ssX")
to_timestamp('2024-07-01 23:00:00')
to_timestamp('2024-03-10 02:30:00')
to_timestamp('01/07/2024 05:06', 'dd/MM/yyyy HH:mm')
to_timestamp('01/07/2024 05:06 +02:00', 'dd/MM/yyyy HH:mm XXX')
to_timestamp_ltz('2024-07-01 23:00:00')
to_timestamp_ntz('2024-07-01 23:00:00')
to_timestamp_ntz('01/07/2024 05:06', 'dd/MM/yyyy HH:mm')
to_timestamp(dt)
try_to_timestamp('2024-07-01 23:00:00')
try_to_timestamp('nothing')
date_format(ts, 'yyyy-MM-dd HH:mm:ss.SSS')
date_format(ts, 'VV')
date_format(ts, 'z')
date_format(ts, 'zzzz')
date_format(ts, 'O')
date_format(ts, 'OOOO')
date_format(ts, 'X')
date_format(ts, 'XX')
date_format(ts, 'XXX')
date_format(ts, 'XXXX')
date_format(ts, 'XXXXX')
date_format(ts, 'x')
date_format(ts, 'xxx')
date_format(ts, 'Z')
date_format(ts, 'ZZZZ')
date_format(ts, 'ZZZZZ')
date_format(TIMESTAMP '2024-07-01 00:00:00Z', 'yyyy-MM-dd HH:mm z zzzz XXX')
date_format(TIMESTAMP '1850-01-01 00:00:00Z', 'yyyy-MM-dd HH:mm:ss XXX XXXXX xxxx O OOOO')
date_format(dt, 'yyyy-MM-dd HH:mm XXX')
date_format('2024-07-01 10:00:00', 'HH:mm XXX')
date_format(CAST('2024-07-01 10:00:00' AS TIMESTAMP_NTZ), 'HH:mm XXX')
from_unixtime(1720000000)
from_unixtime(0, 'yyyy-MM-dd HH:mm:ss XXX')
unix_timestamp('2024-07-01 10:00:00')
unix_timestamp('2024-03-10 02:30:00')
unix_timestamp(ts)
unix_timestamp(dt)
unix_timestamp('01/07/2024', 'dd/MM/yyyy')
to_unix_timestamp('2024-07-01 10:00:00')
unix_seconds(ts)
unix_millis(TIMESTAMP '2024-07-01 10:00:00')
unix_micros(TIMESTAMP '2024-07-01 10:00:00')
unix_date(CAST(ts AS DATE))
timestamp_seconds(1720000000)
make_timestamp(2024, 7, 1, 10, 11, 12.5)
make_timestamp(2024, 3, 10, 2, 30, 0)
make_timestamp(2024, 11, 3, 1, 30, 0)
make_timestamp(2024, 7, 1, 10, 11, 12.5, 'Europe/Berlin')
make_timestamp_ltz(2024, 7, 1, 10, 11, 12.5)
make_timestamp_ntz(2024, 7, 1, 10, 11, 12.5)
convert_timezone('Europe/Berlin', TIMESTAMP_NTZ '2024-07-01 10:00:00')
convert_timezone('Europe/Berlin', 'Asia/Tokyo', TIMESTAMP_NTZ '2024-07-01 10:00:00')
convert_timezone('Europe/Berlin', ts)
from_utc_timestamp(ts, 'Europe/Berlin')
to_utc_timestamp(ts, 'Europe/Berlin')
from_utc_timestamp('2024-07-01 00:00:00', 'Asia/Tokyo')
to_utc_timestamp('2024-07-01 00:00:00', 'Asia/Tokyo')
current_timezone()
ts + INTERVAL 1 MONTH
ts - INTERVAL 1 YEAR
ts + INTERVAL 1 DAY
ts + INTERVAL 1 HOUR
TIMESTAMP '2024-03-09 12:00:00' + INTERVAL 1 DAY
TIMESTAMP '2024-03-09 12:00:00' + INTERVAL 24 HOURS
TIMESTAMP '2024-03-09 12:00:00' + INTERVAL 23 HOURS
TIMESTAMP '2024-03-09 02:30:00' + INTERVAL 1 DAY
TIMESTAMP '2024-02-10 02:30:00' + INTERVAL 1 MONTH
TIMESTAMP '2024-10-03 01:30:00' + INTERVAL 1 MONTH
TIMESTAMP '2024-12-03 01:30:00' - INTERVAL 1 MONTH
TIMESTAMP '2024-11-04 01:30:00' - INTERVAL 1 DAY
TIMESTAMP '2024-11-02 12:00:00' + INTERVAL '1 12:30:00' DAY TO SECOND
TIMESTAMP '2024-11-03 09:30:00Z' + INTERVAL 1 MONTH
TIMESTAMP '2024-11-03 09:30:00Z' + INTERVAL 0 MONTH
TIMESTAMP '2024-11-03 12:00:00' - TIMESTAMP '2024-11-02 12:00:00' = INTERVAL 1 DAY
TIMESTAMP_NTZ '2024-03-09 12:00:00' + INTERVAL 1 DAY
dt + INTERVAL 1 DAY
timestampadd(DAY, 1, TIMESTAMP '2024-03-09 12:00:00')
timestampadd(HOUR, 24, TIMESTAMP '2024-03-09 12:00:00')
timestampadd(HOUR, 25, TIMESTAMP '2024-03-09 12:00:00')
timestampadd(MONTH, 1, TIMESTAMP '2024-02-10 02:30:00')
timestampadd(MINUTE, 90, ts)
timestampadd(WEEK, 1, TIMESTAMP '2024-03-09 12:00:00')
timestampadd(DAY, 1, TIMESTAMP_NTZ '2024-03-09 12:00:00')
timestampdiff(HOUR, TIMESTAMP '2024-03-09 12:00:00', TIMESTAMP '2024-03-10 12:00:00')
timestampdiff(DAY, TIMESTAMP '2024-03-09 12:00:00', TIMESTAMP '2024-03-10 12:00:00')
timestampdiff(MONTH, TIMESTAMP '2024-02-10 02:30:00', TIMESTAMP '2024-03-10 02:30:00')
timestampdiff(SECOND, dt, ts)
sequence(TIMESTAMP '2024-03-09 00:00:00', TIMESTAMP '2024-03-12 00:00:00', INTERVAL 1 DAY)
sequence(TIMESTAMP '2024-11-02 00:00:00', TIMESTAMP '2024-11-05 00:00:00', INTERVAL 1 DAY)
sequence(TIMESTAMP '2024-03-10 00:00:00', TIMESTAMP '2024-03-10 05:00:00', INTERVAL 1 HOUR)
sequence(TIMESTAMP '2024-01-31 00:00:00', TIMESTAMP '2024-04-30 00:00:00', INTERVAL 1 MONTH)
sequence(DATE '2024-03-09', DATE '2024-03-12', INTERVAL 1 DAY)
from_json('{"t":"2024-07-01 10:00:00","u":"2024-07-01T10:00:00Z"}', 't TIMESTAMP, u TIMESTAMP')
from_json('{"t":"01/07/2024 10:00"}', 't TIMESTAMP', map('timestampFormat', 'dd/MM/yyyy HH:mm'))
from_json('{"t":"01/07/2024 10:00"}', 't TIMESTAMP', map('timestampFormat', 'dd/MM/yyyy HH:mm', 'timeZone', 'Asia/Tokyo'))
from_json('{"t":"2024-07-01 10:00:00"}', 't TIMESTAMP_NTZ')
to_json(struct(ts))
to_json(struct(ts), map('timestampFormat', 'dd/MM/yyyy HH:mm'))
to_json(struct(ts), map('timeZone', 'Asia/Tokyo'))
to_json(struct(CAST(ts AS TIMESTAMP_NTZ) AS n))
from_csv('2024-07-01 10:00:00,x', 't TIMESTAMP, s STRING')
from_csv('01/07/2024 10:00', 't TIMESTAMP', map('timestampFormat', 'dd/MM/yyyy HH:mm'))
to_csv(struct(ts, id))
ts > '2024-01-01 00:00:00'
ts = '2024-02-29 05:14:15.123456'
ts >= dt
ts < DATE '1970-01-01'
ts BETWEEN '1999-12-31' AND '2000-01-01'
ts = CAST(ts AS TIMESTAMP_NTZ)
CAST(ts AS DATE) = dt
ts IN (TIMESTAMP '1999-12-31 15:59:59', TIMESTAMP '1970-01-01 00:00:00')
coalesce(ts, dt)
if(b, ts, dt)
greatest(ts, TIMESTAMP '2000-01-01 00:00:00')
SELECT year(ts) AS y, count(*) AS n FROM t GROUP BY year(ts)
SELECT date_trunc('MONTH', ts) AS m, count(*) AS n FROM t GROUP BY date_trunc('MONTH', ts)
SELECT CAST(ts AS DATE) AS d, max(ts) AS m FROM t GROUP BY CAST(ts AS DATE)
SELECT id FROM t WHERE ts < '1970-01-01'
SELECT id FROM t WHERE CAST(ts AS DATE) < dt
SELECT t.id FROM t JOIN (SELECT CAST(ts AS DATE) AS d FROM t) o ON t.dt = o.d
SELECT transform(array(ts), x -> hour(x)) AS h FROM t
SELECT window(ts, '1 day').start AS s FROM t WHERE ts IS NOT NULL
SET TIME ZONE 'Europe/Berlin'
TIMESTAMP '2024-03-31 02:30:00'
TIMESTAMP '2024-10-27 02:30:00'
TIMESTAMP '1880-06-01 00:00:00'
TIMESTAMP '1945-06-01 00:00:00'
CAST(ts AS STRING)
CAST(dt AS TIMESTAMP)
CAST(TIMESTAMP '1880-06-01 00:00:00Z' AS STRING)
CAST(TIMESTAMP '2500-06-01 00:00:00Z' AS STRING)
TIMESTAMP '2500-06-01 00:00:00'
hour(ts)
dayofweek(ts)
date_trunc('HOUR', TIMESTAMP '2024-10-27 01:45:00Z')
date_trunc('DAY', ts)
date_trunc('WEEK', ts)
date_format(ts, 'yyyy-MM-dd HH:mm:ss z XXX VV O')
date_format(TIMESTAMP '2024-07-01 00:00:00Z', 'z zzzz XXX')
from_unixtime(1720000000)
unix_timestamp('2024-07-01 10:00:00')
make_timestamp(2024, 3, 31, 2, 30, 0)
TIMESTAMP '2024-03-30 12:00:00' + INTERVAL 1 DAY
TIMESTAMP '2024-02-29 02:30:00' + INTERVAL 1 MONTH
timestampdiff(HOUR, TIMESTAMP '2024-03-30 12:00:00', TIMESTAMP '2024-03-31 12:00:00')
to_json(struct(ts))
SET TIME ZONE '+05:30'
TIMESTAMP '2024-01-01 00:00:00'
CAST(ts AS STRING)
CAST(ts AS DATE)
minute(ts)
date_trunc('HOUR', ts)
date_trunc('DAY', ts)
date_format(ts, 'HH:mm VV')
date_format(ts, 'z')
date_format(ts, 'zzzz')
date_format(ts, 'XXX')
current_timezone()
unix_timestamp('2024-07-01 10:00:00')
ts + INTERVAL 1 DAY
SET TIME ZONE 'Asia/Kolkata'
CAST(ts AS STRING)
date_trunc('HOUR', ts)
date_format(ts, 'z')
CAST(TIMESTAMP '1850-01-01 00:00:00Z' AS STRING)
SET TIME ZONE 'Pacific/Apia'
CAST('2011-12-30 12:00:00' AS TIMESTAMP)
TIMESTAMP '2011-12-29 12:00:00' + INTERVAL 1 DAY
CAST(TIMESTAMP '2011-12-31 10:00:00Z' AS DATE)
SET TIME ZONE 'PST'
CAST(ts AS STRING)
current_timezone()
SET TIME ZONE 'GMT+2'
CAST(ts AS STRING)
