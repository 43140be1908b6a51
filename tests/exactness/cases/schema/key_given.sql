-- A table without a key gets one.
-- verdict: copied
CREATE TABLE t (id int, v text);
ALTER TABLE t REPLICA IDENTITY FULL;
INSERT INTO t VALUES (1, 'a'), (2, 'b');

-- while streaming
ALTER TABLE t ADD PRIMARY KEY (id);

ALTER TABLE t REPLICA IDENTITY DEFAULT;

UPDATE t SET v = 'c' WHERE id = 1;

-- after a mark
DELETE FROM t WHERE id = 2;
