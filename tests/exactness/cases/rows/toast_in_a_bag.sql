-- A stored value that did not change is not sent, but the old row is: that of a table without a key has all of them.
CREATE TABLE t (a int, long text);
ALTER TABLE t REPLICA IDENTITY FULL;
ALTER TABLE t ALTER long SET STORAGE EXTERNAL;
INSERT INTO t SELECT g % 2, repeat('long', 1000) FROM generate_series(1, 4) g;

-- while streaming
UPDATE t SET a = 5 WHERE a = 1;

INSERT INTO t VALUES (7, repeat('another', 1000));

UPDATE t SET a = 8 WHERE a = 7;

-- after a mark
ALTER TABLE t ADD COLUMN b text DEFAULT 'x';

UPDATE t SET a = 9 WHERE a = 8;
