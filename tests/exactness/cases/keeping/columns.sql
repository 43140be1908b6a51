-- Columns come, go and are renamed under a history and deleted rows.
-- spec: deletes: soft
-- spec: history: scd2
CREATE TABLE t (id int PRIMARY KEY, a text, b int);
INSERT INTO t SELECT g, 'a' || g, g FROM generate_series(1, 5) g;

-- while streaming
DELETE FROM t WHERE id = 1;

ALTER TABLE t ADD COLUMN c text DEFAULT 'c';

UPDATE t SET c = 'new' WHERE id = 2;

-- after a mark
UPDATE t SET a = 'last' WHERE id = 3;

ALTER TABLE t RENAME COLUMN a TO called;

ALTER TABLE t DROP COLUMN b;

DELETE FROM t WHERE id = 4;
