-- A table is dropped and another made under its name.
-- verdict: stale, no longer in the publication
CREATE TABLE t (id int PRIMARY KEY);
INSERT INTO t VALUES (1);

-- while streaming
DROP TABLE t;

CREATE TABLE t (id int PRIMARY KEY);
