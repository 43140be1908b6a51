-- The replica identity is another while the stream runs.
-- verdict: stale, the key or replica identity of \w+\.t changed
CREATE TABLE t (id int PRIMARY KEY, v text);
INSERT INTO t VALUES (1, 'a');

-- while streaming
ALTER TABLE t REPLICA IDENTITY FULL;

UPDATE t SET v = 'b';
