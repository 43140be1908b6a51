-- A row whose stored value does not change moves to another key, once and again, and another takes its place.
CREATE TABLE t (id int PRIMARY KEY, n int, big text);
ALTER TABLE t ALTER big SET STORAGE EXTERNAL;
INSERT INTO t SELECT g, 0, repeat(md5(g::text), 200) FROM generate_series(1, 9) g;

-- while streaming
UPDATE t SET id = id + 100 WHERE id <= 4;

UPDATE t SET id = id + 1000 WHERE id = 101;

INSERT INTO t VALUES (1, 7, repeat('new', 2000));

UPDATE t SET id = 2, n = 9 WHERE id = 5;

-- after a mark
UPDATE t SET id = -id;

DELETE FROM t WHERE id = -9;
