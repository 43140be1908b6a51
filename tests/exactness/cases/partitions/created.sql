-- A partition is created, and rows go into it.
-- verdict: copied
CREATE TABLE t (id int, day date, v text, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
CREATE TABLE t_old PARTITION OF t FOR VALUES FROM (MINVALUE) TO ('2026-01-01');
CREATE TABLE t_new PARTITION OF t FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
INSERT INTO t SELECT g, '2025-12-28'::date + g, 'v' FROM generate_series(1, 9) g;

-- while streaming
CREATE TABLE t_next PARTITION OF t FOR VALUES FROM ('2027-01-01') TO ('2028-01-01');

INSERT INTO t VALUES (101, '2027-06-06', 'came');

-- after a mark
UPDATE t SET v = 'w' WHERE id >= 100;
