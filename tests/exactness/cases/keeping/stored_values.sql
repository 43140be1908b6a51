-- A stored value that is not sent is in every version, and in the row that is kept: of rows that change, move and go.
-- spec: deletes: soft
-- spec: history: scd2
CREATE TABLE t (id int PRIMARY KEY, n int, big text, other text);
ALTER TABLE t ALTER big SET STORAGE EXTERNAL, ALTER other SET STORAGE EXTERNAL;
INSERT INTO t SELECT g, 0, repeat(md5(g::text), 200), repeat(md5(g || 'o'), 200) FROM generate_series(1, 8) g;

-- while streaming
UPDATE t SET n = n + 1;

UPDATE t SET n = n + 1, other = 'short' WHERE id = 1;

DELETE FROM t WHERE id = 2;

UPDATE t SET id = id + 100 WHERE id IN (3, 4);

UPDATE t SET id = id + 1000, n = 7 WHERE id = 103;

DELETE FROM t WHERE id IN (104, 1103);

BEGIN;
UPDATE t SET id = -5 WHERE id = 5;
UPDATE t SET id = 5, n = -1 WHERE id = -5;
COMMIT;

INSERT INTO t VALUES (3, 0, repeat('new', 2000), NULL);

-- after a mark
UPDATE t SET n = n + 1 WHERE id <> 6;

DELETE FROM t WHERE id IN (1, 3, 6);

UPDATE t SET id = 60 WHERE id = 7;
