-- A column comes: the table is out until its spec knows it.
-- verdict: stale, the columns of \w+\.t changed
CREATE TABLE t (id int PRIMARY KEY);
INSERT INTO t VALUES (1);

-- while streaming
ALTER TABLE t ADD COLUMN v text DEFAULT 'x';

INSERT INTO t VALUES (2, 'y');
