-- Defaults, constraints, statistics and indexes change no row.
CREATE TABLE t (id int PRIMARY KEY, v text, n int);
INSERT INTO t VALUES (1, 'a', 1);

-- while streaming
ALTER TABLE t ALTER v SET DEFAULT 'd', ALTER n SET NOT NULL, ADD CHECK (n > 0), ALTER n SET STATISTICS 10;

CREATE INDEX ON t (n);

INSERT INTO t (id, n) VALUES (2, 2);

ALTER TABLE t ALTER v DROP DEFAULT, ALTER n DROP NOT NULL;

INSERT INTO t VALUES (3);
