-- Rows are known by a unique index that is not the primary key.
CREATE TABLE t (id int PRIMARY KEY, code text NOT NULL, n int);
CREATE UNIQUE INDEX t_code ON t (code);
ALTER TABLE t REPLICA IDENTITY USING INDEX t_code;
INSERT INTO t SELECT g, 'c' || g, 0 FROM generate_series(1, 5) g;

-- while streaming
UPDATE t SET n = 1 WHERE id = 1;

UPDATE t SET code = 'moved' WHERE id = 2;

UPDATE t SET id = 30 WHERE id = 3;

DELETE FROM t WHERE id = 4;
