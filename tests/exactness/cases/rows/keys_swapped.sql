-- Two rows swap their keys through a third one; a key is used again in the transaction in which it was let go.
CREATE TABLE t (id int PRIMARY KEY, v text);
INSERT INTO t SELECT g, 'v' || g FROM generate_series(1, 6) g;

-- while streaming
BEGIN;
UPDATE t SET id = 0 WHERE id = 1;
UPDATE t SET id = 1 WHERE id = 2;
UPDATE t SET id = 2 WHERE id = 0;
COMMIT;

BEGIN;
DELETE FROM t WHERE id = 3;
INSERT INTO t VALUES (3, 'again');
DELETE FROM t WHERE id = 4;
INSERT INTO t VALUES (4, 'and');
DELETE FROM t WHERE id = 4;
COMMIT;

UPDATE t SET id = id + 1 WHERE id = 6;

INSERT INTO t VALUES (6, 'reused');
