-- Rows without a key that are the same in every column: one of them goes, one changes.
CREATE TABLE t (a int, b text);
ALTER TABLE t REPLICA IDENTITY FULL;
INSERT INTO t SELECT 1, 'twin' FROM generate_series(1, 5);
INSERT INTO t VALUES (NULL, NULL), (NULL, NULL);

-- while streaming
DELETE FROM t WHERE ctid = (SELECT min(ctid) FROM t WHERE a = 1);

UPDATE t SET b = 'changed' WHERE ctid = (SELECT min(ctid) FROM t WHERE a = 1);

INSERT INTO t VALUES (NULL, ''), (NULL, NULL), (1, 'twin');

UPDATE t SET b = b;

-- after a mark
DELETE FROM t WHERE a IS NULL AND b IS NULL;
