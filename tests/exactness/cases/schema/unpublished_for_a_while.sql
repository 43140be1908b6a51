-- A table is taken out of the publication, written to, and put back.
-- verdict: copied
CREATE TABLE t (id int PRIMARY KEY);
INSERT INTO t VALUES (1);

-- while streaming
ALTER PUBLICATION tidemark_shop DROP TABLE t;

INSERT INTO t VALUES (2);

ALTER PUBLICATION tidemark_shop ADD TABLE t;

INSERT INTO t VALUES (3);
