-- A column comes under a history, and no row of the table is written until after a mark.
-- spec: history: scd2
CREATE TABLE t (id int PRIMARY KEY, a text);
INSERT INTO t SELECT g, repeat('a', g) FROM generate_series(1, 5) g;

-- while streaming
ALTER TABLE t ADD COLUMN b int;

-- after a mark
UPDATE t SET b = 1 WHERE id = 3;
