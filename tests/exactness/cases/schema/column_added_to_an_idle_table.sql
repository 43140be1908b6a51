-- A column comes and nothing is written: the next mark finds it all the same.
-- verdict: stale, the columns of \w+\.t changed
CREATE TABLE t (id int PRIMARY KEY);
INSERT INTO t VALUES (1);

-- while streaming
ALTER TABLE t ADD COLUMN v text;
