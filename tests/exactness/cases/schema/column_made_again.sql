-- A column is dropped and made again under its name: its old values are gone, and no event says so.
-- verdict: copied
CREATE TABLE t (id int PRIMARY KEY, v text);
INSERT INTO t VALUES (1, 'old');

-- while streaming
ALTER TABLE t DROP COLUMN v;

ALTER TABLE t ADD COLUMN v text;
