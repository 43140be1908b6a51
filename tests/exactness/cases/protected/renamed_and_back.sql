-- What was written while a protected column had another name is in no change: the table is copied.
-- verdict: copied
-- protect: ssn hash
CREATE TABLE t (id int PRIMARY KEY, ssn text);
INSERT INTO t VALUES (1, 'kanarie');

-- while streaming
ALTER TABLE t RENAME ssn TO passing;

INSERT INTO t VALUES (2, 'kanarie');

ALTER TABLE t RENAME passing TO ssn;

INSERT INTO t VALUES (3, 'kanarie');

-- after a mark
UPDATE t SET ssn = 'kanarie ' || id;
