-- A stored value that did not change is not sent: the row keeps it.
CREATE TABLE t (id int PRIMARY KEY, n int, big text);
ALTER TABLE t ALTER big SET STORAGE EXTERNAL;
INSERT INTO t SELECT g, 0, repeat(md5(g::text), 200) FROM generate_series(1, 5) g;

-- while streaming
UPDATE t SET n = n + 1;

-- after a mark
UPDATE t SET n = n + 1 WHERE id < 3;
UPDATE t SET big = 'short' WHERE id = 1;
UPDATE t SET n = n + 1;
