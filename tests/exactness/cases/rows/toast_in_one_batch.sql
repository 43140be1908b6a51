-- An unchanged stored value of a row that came in the same batch, and of one that came in the same transaction.
CREATE TABLE t (id int PRIMARY KEY, n int, big text, other text);
ALTER TABLE t ALTER big SET STORAGE EXTERNAL, ALTER other SET STORAGE EXTERNAL;

-- while streaming
INSERT INTO t VALUES (1, 0, repeat('a', 5000), repeat('b', 5000));

UPDATE t SET n = 1;

UPDATE t SET other = repeat('c', 5000);

BEGIN;
INSERT INTO t VALUES (2, 0, repeat('d', 5000), NULL);
UPDATE t SET n = 2 WHERE id = 2;
COMMIT;

-- after a mark
UPDATE t SET n = n + 1;
