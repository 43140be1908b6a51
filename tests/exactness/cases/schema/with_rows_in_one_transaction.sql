-- The schema changes inside a transaction that writes rows before and after, and beside it others wait.
CREATE TABLE t (id int PRIMARY KEY, a text, b text);
INSERT INTO t VALUES (1, 'a', 'b'), (2, 'a', 'b');

-- while streaming
BEGIN;
UPDATE t SET a = 'before' WHERE id = 1;
INSERT INTO t VALUES (3, 'x', 'y');
ALTER TABLE t ADD COLUMN c int DEFAULT 7;
UPDATE t SET c = 8 WHERE id = 2;
ALTER TABLE t DROP COLUMN a;
INSERT INTO t VALUES (4, 'z', 9);
SAVEPOINT s;
ALTER TABLE t ADD COLUMN never int;
INSERT INTO t VALUES (5, 'never', 9, 9);
ROLLBACK TO s;
ALTER TABLE t RENAME b TO e;
INSERT INTO t VALUES (6, 'last', 10);
COMMIT;
