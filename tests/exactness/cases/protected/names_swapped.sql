-- A name that a protected column gave to another is none to go by: nothing is stored, nor copied by itself.
-- verdict: stale, is now the name of another column
-- protect: ssn hash, note drop
CREATE TABLE t (id int PRIMARY KEY, v text, ssn text, note text);
INSERT INTO t VALUES (1, 'v', 'kanarie', 'kanarie');

-- while streaming
ALTER TABLE t RENAME v TO was;

ALTER TABLE t RENAME ssn TO v;

ALTER TABLE t RENAME was TO ssn;

INSERT INTO t VALUES (2, 'w', 'kanarie', 'kanarie');

-- after a mark
UPDATE t SET v = 'kanarie 2';
