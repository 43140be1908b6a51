-- A column that a table with protected ones gets is not stored, its default neither, until the spec knows it.
-- verdict: stale, freezes its columns, and they changed: more
-- protect: ssn hash
CREATE TABLE t (id int PRIMARY KEY, ssn text);
INSERT INTO t VALUES (1, 'kanarie');

-- while streaming
ALTER TABLE t ADD more text DEFAULT 'kanarie';

INSERT INTO t VALUES (2, 'kanarie', 'kanarie 2');

-- after a mark
UPDATE t SET ssn = 'kanarie 3';
