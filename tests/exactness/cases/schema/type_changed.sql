-- A type is changed and every row rewritten.
-- verdict: copied
CREATE TABLE t (id int PRIMARY KEY, v int);
INSERT INTO t VALUES (1, 10);

-- while streaming
ALTER TABLE t ALTER v TYPE text USING 'n' || v;

INSERT INTO t VALUES (2, 'x');
