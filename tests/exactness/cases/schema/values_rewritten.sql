-- ALTER … USING with the same type rewrites the values and sends nothing.
-- verdict: copied
CREATE TABLE t (id int PRIMARY KEY, v int);
INSERT INTO t VALUES (1, 10);

-- while streaming
ALTER TABLE t ALTER v TYPE int USING v * 2;
