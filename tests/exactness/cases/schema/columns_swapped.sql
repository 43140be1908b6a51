-- Two columns swap their names.
-- verdict: copied
CREATE TABLE t (id int PRIMARY KEY, a text, b text);
INSERT INTO t VALUES (1, 'a', 'b');

-- while streaming
BEGIN;
ALTER TABLE t RENAME a TO c;
ALTER TABLE t RENAME b TO a;
ALTER TABLE t RENAME c TO b;
COMMIT;
