SELECT date_format(until, 'HH:mm:ss') AS until, round(celsius, 3) AS celsius, readings FROM moving_average ORDER BY until;
