-- A change of the schema that is rolled back has not happened, whatever was written beside it.
CREATE TABLE t (id int PRIMARY KEY, v text);
INSERT INTO t VALUES (1, 'a');

-- while streaming
BEGIN;
ALTER TABLE t ADD COLUMN w int DEFAULT 7;
INSERT INTO t VALUES (2, 'b', 8);
ALTER TABLE t DROP COLUMN v;
ROLLBACK;

INSERT INTO t VALUES (3, 'c');
