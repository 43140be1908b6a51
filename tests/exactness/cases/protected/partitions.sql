-- A partition is protected as the table that it belongs to.
-- protect: ssn hash, note drop
CREATE TABLE t (id int PRIMARY KEY, ssn text, note text) PARTITION BY RANGE (id);
CREATE TABLE low PARTITION OF t FOR VALUES FROM (0) TO (10);
CREATE TABLE high PARTITION OF t FOR VALUES FROM (10) TO (20) PARTITION BY RANGE (id);
CREATE TABLE highest PARTITION OF high FOR VALUES FROM (10) TO (20);
INSERT INTO t SELECT g, 'kanarie', 'kanarie' FROM generate_series(1, 12) g;

-- while streaming
UPDATE t SET ssn = 'kanarie ' || id WHERE id IN (1, 11);

UPDATE t SET id = 15 WHERE id = 2;

TRUNCATE t;

INSERT INTO t VALUES (3, 'kanarie', 'kanarie'), (13, 'kanarie', 'kanarie');

-- after a mark
UPDATE t SET ssn = NULL WHERE id = 3;
