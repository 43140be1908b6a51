-- VACUUM FULL rewrites every row and changes none: the table waits for a proof.
-- verdict: suspect, rewritten
CREATE TABLE t (id int PRIMARY KEY, v text);
INSERT INTO t SELECT g, 'v' FROM generate_series(1, 100) g;

-- while streaming
DELETE FROM t WHERE id % 2 = 0;

VACUUM FULL t;
