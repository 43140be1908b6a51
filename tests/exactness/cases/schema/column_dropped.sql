-- A column goes while rows are written.
CREATE TABLE t (id int PRIMARY KEY, a text, b text);
INSERT INTO t VALUES (1, 'a', 'b'), (2, 'a', 'b'), (3, 'a', 'b');

-- while streaming
UPDATE t SET b = 'c' WHERE id = 1;

ALTER TABLE t DROP COLUMN a;

INSERT INTO t VALUES (4, 'd');

UPDATE t SET b = 'e' WHERE id = 2;

-- after a mark
ALTER TABLE t ADD COLUMN a text;

UPDATE t SET a = 'new' WHERE id = 4;
