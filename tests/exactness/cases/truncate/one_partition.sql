-- TRUNCATE of one partition: the lake does not know which rows were in it.
-- verdict: copied
CREATE TABLE t (id int, day date, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
CREATE TABLE t_old PARTITION OF t FOR VALUES FROM (MINVALUE) TO ('2026-01-01');
CREATE TABLE t_new PARTITION OF t FOR VALUES FROM ('2026-01-01') TO (MAXVALUE);
INSERT INTO t SELECT g, '2025-12-28'::date + g FROM generate_series(1, 9) g;

-- while streaming
TRUNCATE t_old;

INSERT INTO t VALUES (99, '2025-01-01');

-- after a mark
DELETE FROM t WHERE id > 7;
