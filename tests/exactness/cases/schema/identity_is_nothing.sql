-- Without a replica identity PostgreSQL refuses to change or delete published rows; the table is out until it has one.
-- verdict: stale, REPLICA IDENTITY DEFAULT
CREATE TABLE t (id int PRIMARY KEY, v text);
INSERT INTO t VALUES (1, 'a');

-- while streaming
ALTER TABLE t REPLICA IDENTITY NOTHING;

INSERT INTO t VALUES (2, 'b');
