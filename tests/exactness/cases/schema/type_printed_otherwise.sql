-- A type is changed and no row rewritten, for what is stored is the same; but it reads otherwise.
-- verdict: copied
CREATE TABLE t (id int PRIMARY KEY, v timestamp);
INSERT INTO t VALUES (1, '2026-01-01 12:00');

-- while streaming
BEGIN;
SET LOCAL timezone = 'UTC';
ALTER TABLE t ALTER v TYPE timestamptz;
COMMIT;
