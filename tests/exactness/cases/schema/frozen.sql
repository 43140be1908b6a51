-- A table whose spec says `on_schema_change: freeze` is out until its spec says the same as the database.
-- verdict: stale, freezes its columns, and they changed: v
-- spec: on_schema_change: freeze
CREATE TABLE t (id int PRIMARY KEY);
INSERT INTO t VALUES (1);

-- while streaming
ALTER TABLE t ADD COLUMN v text;

INSERT INTO t VALUES (2, 'y');
