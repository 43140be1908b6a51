-- A generated column becomes a plain one and keeps its values, which no event has told.
-- verdict: copied
CREATE TABLE t (id int PRIMARY KEY, g int GENERATED ALWAYS AS (id * 2) STORED);
INSERT INTO t VALUES (1), (2);

-- while streaming
ALTER TABLE t ALTER g DROP EXPRESSION;

INSERT INTO t VALUES (3, 7);
