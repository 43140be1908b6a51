-- What leaves the columns as they are does not concern a frozen table.
-- spec: on_schema_change: freeze
CREATE TABLE t (id int PRIMARY KEY, v text);
INSERT INTO t VALUES (1, 'a');

-- while streaming
ALTER TABLE t ALTER v SET DEFAULT 'd';

INSERT INTO t (id) VALUES (2);

-- after a mark
VACUUM FULL t;
