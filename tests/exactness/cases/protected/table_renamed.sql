-- Of a table with protected columns that is renamed nothing is stored under its new name.
-- verdict: stale, no longer in the publication
-- protect: ssn hash
CREATE TABLE t (id int PRIMARY KEY, ssn text);
INSERT INTO t VALUES (1, 'kanarie');

-- while streaming
ALTER TABLE t RENAME TO people;

INSERT INTO people VALUES (2, 'kanarie');
