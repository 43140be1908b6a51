-- Another column is the primary key.
-- verdict: copied
CREATE TABLE t (id int PRIMARY KEY, code text NOT NULL);
INSERT INTO t VALUES (1, 'a'), (2, 'b');

-- while streaming
ALTER TABLE t DROP CONSTRAINT t_pkey;

ALTER TABLE t ADD PRIMARY KEY (code);

UPDATE t SET id = 1;

-- after a mark
UPDATE t SET code = 'c' WHERE code = 'a';
