-- A column comes whose default differs from row to row: only the rows themselves tell it.
-- verdict: copied
CREATE TABLE t (id int PRIMARY KEY);
INSERT INTO t SELECT g FROM generate_series(1, 5) g;

-- while streaming
ALTER TABLE t ADD COLUMN v double precision DEFAULT random();

INSERT INTO t VALUES (9);

-- after a mark
UPDATE t SET v = 0.5 WHERE id = 2;
