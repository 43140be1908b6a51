-- TRUNCATE, rows, and a rewriting ALTER TABLE in one transaction.
-- verdict: copied
CREATE TABLE t (id int PRIMARY KEY, v int);
INSERT INTO t VALUES (1, 10);

-- while streaming
BEGIN;
TRUNCATE t;
INSERT INTO t VALUES (2, 20);
ALTER TABLE t ALTER v TYPE int USING v * 2;
COMMIT;
