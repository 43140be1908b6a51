-- VACUUM FULL and CLUSTER rewrite every row and change none.
CREATE TABLE t (id int PRIMARY KEY, v text);
INSERT INTO t SELECT g, 'v' FROM generate_series(1, 100) g;

-- while streaming
DELETE FROM t WHERE id % 2 = 0;

VACUUM FULL t;

UPDATE t SET v = 'w' WHERE id = 1;

-- after a mark
CLUSTER t USING t_pkey;
