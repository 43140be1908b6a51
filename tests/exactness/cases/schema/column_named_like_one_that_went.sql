-- A column takes another name, goes, and another comes under that name and of the same type.
-- verdict: copied
CREATE TABLE t (id int PRIMARY KEY, v text);
INSERT INTO t VALUES (1, 'a'), (2, 'b');

-- while streaming
ALTER TABLE t RENAME v TO w;

UPDATE t SET w = 'of the first' WHERE id = 1;

ALTER TABLE t DROP COLUMN w;

ALTER TABLE t ADD COLUMN w text;

INSERT INTO t VALUES (3, 'of the second');
