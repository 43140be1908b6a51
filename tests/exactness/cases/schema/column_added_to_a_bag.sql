-- Columns come and go in a table without a key, whose rows are known by all of their columns.
CREATE TABLE t (a int, b text);
ALTER TABLE t REPLICA IDENTITY FULL;
INSERT INTO t VALUES (1, 'x'), (1, 'x'), (2, 'x'), (3, 'y');

-- while streaming
ALTER TABLE t ADD COLUMN c text DEFAULT 'new';

UPDATE t SET b = 'z' WHERE a = 2;

INSERT INTO t VALUES (1, 'x');

DELETE FROM t WHERE a = 3;

-- after a mark
ALTER TABLE t DROP COLUMN a;

INSERT INTO t VALUES ('x', 'new');

ALTER TABLE t ADD COLUMN d date;

UPDATE t SET d = '2026-01-01' WHERE b = 'z';
