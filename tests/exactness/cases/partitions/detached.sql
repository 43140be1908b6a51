-- A partition is detached, and written to as a table of its own.
-- verdict: copied
CREATE TABLE t (id int, day date, v text, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
CREATE TABLE t_old PARTITION OF t FOR VALUES FROM (MINVALUE) TO ('2026-01-01');
CREATE TABLE t_new PARTITION OF t FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
INSERT INTO t SELECT g, '2025-12-28'::date + g, 'v' FROM generate_series(1, 9) g;

-- while streaming
ALTER TABLE t DETACH PARTITION t_old;

DELETE FROM t_old;

-- after a mark
DELETE FROM t WHERE id = 9;
