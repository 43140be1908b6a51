-- Three sessions write by turns and commit in another order than they began; one is open while a mark is taken.
CREATE TABLE t (id int PRIMARY KEY, v text);
CREATE TABLE bag (v text);
ALTER TABLE bag REPLICA IDENTITY FULL;
INSERT INTO t SELECT g, '' FROM generate_series(1, 6) g;

-- while streaming
-- in a
BEGIN;
UPDATE t SET v = v || 'a' WHERE id = 1;

-- in b
BEGIN;
UPDATE t SET v = v || 'b' WHERE id = 2;
INSERT INTO bag VALUES ('b');

-- in c
BEGIN;
UPDATE t SET v = v || 'c' WHERE id = 3;
INSERT INTO bag VALUES ('c'), ('b');

-- in b
UPDATE t SET v = v || 'b' WHERE id = 4;
COMMIT;

-- in a
UPDATE t SET v = v || 'a' WHERE id IN (2, 4);
COMMIT;

UPDATE t SET v = v || 'd' WHERE id <> 3;

-- after a mark
-- in c
UPDATE t SET v = v || 'c' WHERE id = 5;
COMMIT;

DELETE FROM bag WHERE ctid = (SELECT min(ctid) FROM bag WHERE v = 'b');
