-- The database has settings that change how values are written and where names are looked for.
ALTER DATABASE shop SET datestyle = 'German, DMY';
ALTER DATABASE shop SET intervalstyle = 'sql_standard';
ALTER DATABASE shop SET timezone = 'Asia/Kathmandu';
ALTER DATABASE shop SET extra_float_digits = -10;
ALTER DATABASE shop SET bytea_output = 'escape';
ALTER DATABASE shop SET search_path = 'nowhere';
ALTER DATABASE shop SET statement_timeout = '1min';
CREATE TABLE t (id int PRIMARY KEY, d date, z timestamptz, i interval, f float8, b bytea);
INSERT INTO t VALUES (1, '2026-03-04', '2026-03-04 05:06:07+00', '-1 day 02:03', 0.1::float8 + 0.2, '\x5c00ff');

-- while streaming
INSERT INTO t VALUES (2, '2026-04-03', '2026-10-25 01:30+02', '1 year -1 day', 1e-300, '\x09');

UPDATE t SET i = '00:00:01.5', f = -f WHERE id = 1;
