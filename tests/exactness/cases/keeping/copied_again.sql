-- A column gets another type under a history and deleted rows: the table is copied, and both go on from there.
-- verdict: copied
-- spec: deletes: soft
-- spec: history: scd2
CREATE TABLE t (id int PRIMARY KEY, n int, v text);
INSERT INTO t SELECT g, g, 'v' || g FROM generate_series(1, 5) g;

-- while streaming
DELETE FROM t WHERE id = 1;

ALTER TABLE t ALTER n TYPE bigint;

DELETE FROM t WHERE id = 2;

-- after a mark
UPDATE t SET n = 5000000000 WHERE id = 3;

DELETE FROM t WHERE id = 4;
