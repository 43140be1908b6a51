-- A protected column that is renamed is never stored under its new name: the table is out until its spec knows it.
-- verdict: stale, freezes its columns, and they changed: ssn, tax_id
-- protect: ssn hash, note drop
CREATE TABLE t (id int PRIMARY KEY, ssn text, note text);
INSERT INTO t VALUES (1, 'kanarie', 'kanarie');

-- while streaming
ALTER TABLE t RENAME ssn TO tax_id;

INSERT INTO t VALUES (2, 'kanarie', 'kanarie');

-- after a mark
UPDATE t SET tax_id = 'kanarie 2';
