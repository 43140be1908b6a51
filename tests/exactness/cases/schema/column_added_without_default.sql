-- A column without a default comes, and is filled: the table's files stay as they are, older rows have NULL.
CREATE TABLE t (id int PRIMARY KEY, v text);
ALTER TABLE t ALTER v SET STORAGE EXTERNAL;
INSERT INTO t SELECT g, repeat('long', 1000) FROM generate_series(1, 9) g;

-- while streaming
UPDATE t SET id = 10 WHERE id = 9;

ALTER TABLE t ADD COLUMN w text;

ALTER TABLE t ALTER w SET STORAGE EXTERNAL;

UPDATE t SET w = repeat('wide', 1000) WHERE id < 4;

UPDATE t SET id = id + 20 WHERE id IN (3, 4);

-- after a mark
ALTER TABLE t ADD COLUMN x timestamp;

UPDATE t SET x = '2026-01-01' WHERE id < 3;

UPDATE t SET w = 'short' WHERE id = 5;
