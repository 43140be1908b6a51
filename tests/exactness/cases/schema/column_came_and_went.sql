-- A column comes, is dropped, and another comes under its name: values of the first are not taken for the second's.
-- verdict: copied
CREATE TABLE t (id int PRIMARY KEY);
INSERT INTO t VALUES (1);

-- while streaming
ALTER TABLE t ADD COLUMN v text;

INSERT INTO t VALUES (2, 'of the first');

ALTER TABLE t DROP COLUMN v;

ALTER TABLE t ADD COLUMN v text;

INSERT INTO t VALUES (3, 'of the second');
