SELECT date_format(at, 'HH:mm:ss') AS at, round(celsius, 3) AS celsius FROM last_five WHERE at < '2026-03-02T09:01:27Z' ORDER BY at;
