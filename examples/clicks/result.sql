SELECT date_format(minute, 'HH:mm') AS minute, page, clicks FROM clicks_per_page ORDER BY minute, page;
