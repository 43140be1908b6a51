-- Rows go, come back, and change several times in one transaction: each version that was committed is kept, and the last row.
-- spec: deletes: soft
-- spec: history: scd2
CREATE TABLE t (id int PRIMARY KEY, n numeric, at timestamptz, v text);
CREATE TABLE whole (id text PRIMARY KEY, n float8, v text);
ALTER TABLE whole REPLICA IDENTITY FULL;
INSERT INTO t SELECT g, g / 7.0, '2026-01-01'::timestamptz + g * interval '1 day', 'v' || g FROM generate_series(1, 9) g;
INSERT INTO whole SELECT 'k ' || g, g / 3.0, NULL FROM generate_series(1, 5) g;

-- while streaming
DELETE FROM t WHERE id = 1;

UPDATE t SET v = 'then deleted', at = 'infinity' WHERE id = 2;

DELETE FROM t WHERE id = 2;

BEGIN;
UPDATE t SET v = 'nobody saw it' WHERE id = 3;
UPDATE t SET v = 'seen' WHERE id = 3;
INSERT INTO t VALUES (10, NULL, NULL, 'came and went');
DELETE FROM t WHERE id = 10;
DELETE FROM t WHERE id = 4;
INSERT INTO t VALUES (4, 'NaN', '-infinity', 'again');
COMMIT;

INSERT INTO t VALUES (1, 1.00, NULL, 'back');

UPDATE t SET v = v WHERE id = 5;

UPDATE whole SET n = 'NaN', v = '' WHERE id < 'k 3';

DELETE FROM whole WHERE id = 'k 2';

BEGIN;
DELETE FROM t;
ROLLBACK;

-- after a mark
DELETE FROM t WHERE id IN (1, 3, 6);

INSERT INTO t VALUES (2, NULL, NULL, 'back at last');

INSERT INTO whole VALUES ('k 2', 0, 'back');

DELETE FROM whole WHERE id = 'k 1';
