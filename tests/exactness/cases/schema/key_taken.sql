-- The primary key is dropped: nothing names the rows any more, and the table is out until something does.
-- verdict: stale, REPLICA IDENTITY FULL
CREATE TABLE t (id int PRIMARY KEY, v text);
INSERT INTO t VALUES (1, 'a');

-- while streaming
ALTER TABLE t DROP CONSTRAINT t_pkey;

INSERT INTO t VALUES (1, 'b');
