-- The replica identity is FULL, and the key again, while the stream runs.
CREATE TABLE t (id int PRIMARY KEY, v text);
INSERT INTO t VALUES (1, 'a'), (2, 'a');

-- while streaming
UPDATE t SET id = 3 WHERE id = 1;

ALTER TABLE t REPLICA IDENTITY FULL;

UPDATE t SET id = 4 WHERE id = 2;

UPDATE t SET v = 'b';

-- after a mark
ALTER TABLE t REPLICA IDENTITY DEFAULT;

UPDATE t SET id = 5, v = 'c' WHERE id = 3;

DELETE FROM t WHERE id = 4;
