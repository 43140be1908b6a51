-- A column has another name for a while, in which rows are written: both catalogs look alike.
-- verdict: copied
CREATE TABLE t (id int PRIMARY KEY, v text);
INSERT INTO t VALUES (1, 'a'), (2, 'b');

-- while streaming
ALTER TABLE t RENAME v TO passing;

UPDATE t SET passing = 'c' WHERE id = 1;

ALTER TABLE t RENAME passing TO v;

INSERT INTO t VALUES (3, 'd');
