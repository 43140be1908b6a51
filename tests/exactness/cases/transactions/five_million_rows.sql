-- Five million rows come in one transaction, and most of them go in another.
-- long
CREATE TABLE t (id int PRIMARY KEY, n int);

-- while streaming
SET statement_timeout = 0;

INSERT INTO t SELECT g, g % 7 FROM generate_series(1, 5000000) g;

DELETE FROM t WHERE id % 500 <> 0;
