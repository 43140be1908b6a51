-- A label of an enum that is renamed changes hashes as no event tells: the table is copied, and no mark tells the label.
-- verdict: copied
-- protect: m hash
CREATE TYPE mood AS ENUM ('kanarie', 'sad');
CREATE TABLE t (id int PRIMARY KEY, m mood);
INSERT INTO t VALUES (1, 'kanarie'), (2, 'sad');

-- while streaming
ALTER TYPE mood RENAME VALUE 'kanarie' TO 'kanarie too';

INSERT INTO t VALUES (3, 'kanarie too');

-- after a mark
UPDATE t SET m = 'sad' WHERE id = 1;
