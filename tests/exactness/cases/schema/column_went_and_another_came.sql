-- A column goes and another, of another type, comes.
CREATE TABLE t (id int PRIMARY KEY, v text);
INSERT INTO t VALUES (1, 'a'), (2, 'b');

-- while streaming
UPDATE t SET v = 'c' WHERE id = 1;

ALTER TABLE t DROP COLUMN v;

ALTER TABLE t ADD COLUMN w int DEFAULT 7;

INSERT INTO t VALUES (3, 8);
