-- So is one that is made while the stream runs.
-- verdict: copied
-- protect: ssn hash, note drop
CREATE TABLE t (id int PRIMARY KEY, ssn text, note text) PARTITION BY RANGE (id);
CREATE TABLE low PARTITION OF t FOR VALUES FROM (0) TO (10);
INSERT INTO t VALUES (1, 'kanarie', 'kanarie');

-- while streaming
CREATE TABLE high PARTITION OF t FOR VALUES FROM (10) TO (20);

INSERT INTO t VALUES (11, 'kanarie', 'kanarie');

-- after a mark
UPDATE t SET ssn = 'kanarie ' || id;
