SELECT date_format(since, 'HH:mm:ss') AS since, round(celsius, 3) AS celsius, readings FROM joint_average ORDER BY since;
