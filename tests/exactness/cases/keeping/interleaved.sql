-- Transactions that commit in another order than they began, one of them two marks later, write rows that keep what was.
-- spec: deletes: soft
-- spec: history: scd2
CREATE TABLE t (id int PRIMARY KEY, v text);
INSERT INTO t SELECT g, '' FROM generate_series(1, 6) g;

-- while streaming
-- in a
BEGIN;
UPDATE t SET v = v || 'a' WHERE id = 1;

-- in b
BEGIN;
UPDATE t SET v = v || 'b' WHERE id = 2;
DELETE FROM t WHERE id = 5;

-- in c
BEGIN;
DELETE FROM t WHERE id = 3;
INSERT INTO t VALUES (3, 'c');

-- in b
COMMIT;

-- in a
UPDATE t SET v = v || 'a' WHERE id IN (2, 4);
COMMIT;

UPDATE t SET v = v || 'd' WHERE id <> 3;

-- after a mark
-- in c
INSERT INTO t VALUES (5, 'c');
UPDATE t SET id = 7 WHERE id = 6;
COMMIT;

DELETE FROM t WHERE id = 1;
